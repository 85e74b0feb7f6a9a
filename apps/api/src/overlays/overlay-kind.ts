/**
 * Where an overlay's files come from: uploaded and edited in its draft, items of the Steam Workshop, or written by a bash script in a
 * sandbox.
 */
export const overlayKinds = ['files', 'workshop', 'script'] as const;

export type OverlayKind = (typeof overlayKinds)[number];

/** What a build of a Workshop overlay does about items that cannot be had. */
export const missingItems = ['fail', 'skip'] as const;

export type MissingItems = (typeof missingItems)[number];
