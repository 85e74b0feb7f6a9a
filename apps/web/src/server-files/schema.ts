import { z } from 'zod';
import { entrySchema } from '../files/schema';

export const layerSchema = z.object({
  kind: z.enum(['own', 'generated', 'overlay', 'game']),
  overlayId: z.number().nullable(),
  overlayName: z.string().nullable(),
  revision: z.number().nullable(),
  build: z.string().nullable(),
});
export type Layer = z.output<typeof layerSchema>;

export const serverEntrySchema = entrySchema.extend({
  target: z.string().nullable(),
  layer: layerSchema,
  hides: z.array(layerSchema),
  merged: z.boolean(),
});
export type ServerEntry = z.output<typeof serverEntrySchema>;

export const serverFolderSchema = z.object({
  items: z.array(serverEntrySchema),
  nextCursor: z.string().nullable(),
  unreadableNames: z.number(),
});

export const ownSizeSchema = z.object({
  files: z.number(),
  bytes: z.number(),
  complete: z.boolean(),
  kept: z.object({ files: z.number(), paths: z.array(z.string()) }),
});
export type OwnSize = z.output<typeof ownSizeSchema>;

/** A line of a followed file, as NDJSON. */
export const followedSchema = z.union([
  z.object({ position: z.string(), line: z.string() }),
  z.object({ skipped: z.number() }),
  z.object({ truncated: z.literal(true) }),
  z.object({ ping: z.literal(true) }),
]);
