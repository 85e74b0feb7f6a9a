/** Where an overlay's files come from: chosen when it is made, for ever. */
export const overlayKinds = ['files', 'workshop', 'script'] as const;
export type OverlayKind = (typeof overlayKinds)[number];

/** What the console says of each kind. `content` is the name of the tab with what people edit. */
export const aboutKinds: Record<OverlayKind, { title: string; about: string; content: string; nothing: string }> = {
  files: {
    title: 'Files',
    about: 'You upload and edit them here.',
    content: 'Files',
    nothing: 'Nothing to build: upload files first.',
  },
  workshop: {
    title: 'Steam Workshop',
    about: 'Items and collections that a build downloads from Steam.',
    content: 'Items',
    nothing: 'Nothing to build: add items first.',
  },
  script: {
    title: 'Script',
    about: 'A bash script that makes them, in a sandbox, at each build.',
    content: 'Script',
    nothing: 'Nothing to build: write the script first.',
  },
};
