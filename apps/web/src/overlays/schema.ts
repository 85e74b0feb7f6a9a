import { z } from 'zod';
import { entrySchema } from '../files/schema';
import { type OverlayKind, overlayKinds } from './kinds';

export const revisionSchema = z.object({
  id: z.number(),
  number: z.number(),
  jobId: z.number().nullable(),
  userName: z.string().nullable(),
  files: z.number(),
  bytes: z.number(),
  contentHash: z.string(),
  createdAt: z.string(),
  current: z.boolean(),
  returnedAt: z.string().nullable(),
});
export type Revision = z.output<typeof revisionSchema>;

/** In the list of revisions: also which servers have it. */
export const revisionItemSchema = revisionSchema.extend({ servers: z.array(z.string()) });
export type RevisionItem = z.output<typeof revisionItemSchema>;

export const differenceSchema = z.object({
  path: z.string(),
  change: z.enum(['added', 'removed', 'changed']),
  sizeBefore: z.number().nullable(),
  sizeAfter: z.number().nullable(),
});
export type Difference = z.output<typeof differenceSchema>;

export const overlaySchema = z.object({
  id: z.number(),
  name: z.string(),
  description: z.string().nullable(),
  kind: z.enum(overlayKinds),
  missingItems: z.enum(['fail', 'skip']).nullable(),
  catalog: z.boolean(),
  ownerId: z.number().nullable(),
  ownerName: z.string().nullable(),
  draft: z.object({
    files: z.number().nullable(),
    bytes: z.number().nullable(),
    modifiedAt: z.string().nullable(),
    changed: z.boolean(),
  }),
  currentRevision: revisionSchema.nullable(),
  createdAt: z.string(),
  updatedAt: z.string(),
});
export type Overlay = z.output<typeof overlaySchema>;

export const folderSchema = z.object({
  path: z.string(),
  items: z.array(entrySchema),
  nextCursor: z.string().nullable(),
});

export interface OverlayInput {
  name: string;
  description: string;
  kind?: OverlayKind;
  catalog?: boolean;
  missingItems?: 'fail' | 'skip';
}

export const unpackedSchema = z.object({
  files: z.number(),
  bytes: z.number(),
  leftOut: z.object({ count: z.number(), first: z.array(z.string()) }),
});
export type Unpacked = z.output<typeof unpackedSchema>;

export const warningsSchema = z.object({
  items: z.array(
    z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('misplaced'), path: z.string(), belongsTo: z.string() }),
      z.object({ kind: z.literal('broken-vpk'), path: z.string(), problem: z.string() }),
      z.object({ kind: z.literal('vpk-name'), path: z.string() }),
      z.object({ kind: z.literal('non-ascii-cfg'), path: z.string(), line: z.number() }),
    ]),
  ),
  more: z.boolean(),
});
export type DraftWarning = z.output<typeof warningsSchema>['items'][number];
