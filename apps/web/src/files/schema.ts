import { z } from 'zod';

/** What a folder has, wherever it is. */
export const entrySchema = z.object({
  name: z.string(),
  path: z.string(),
  type: z.enum(['file', 'directory', 'link']),
  size: z.number(),
  modifiedAt: z.string(),
});
export type Entry = z.output<typeof entrySchema>;
