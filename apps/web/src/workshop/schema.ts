import { z } from 'zod';

export const itemSchema = z.object({
  publishedFileId: z.string(),
  listed: z.boolean(),
  kind: z.enum(['item', 'collection']).nullable(),
  title: z.string().nullable(),
  bytes: z.number().nullable(),
  previewUrl: z.string().nullable(),
  updatedAt: z.string().nullable(),
  fileName: z.string().nullable(),
  state: z.enum(['unknown', 'new', 'outdated', 'current', 'unavailable']),
  problem: z.string().nullable(),
  refreshedAt: z.string().nullable(),
  members: z.array(z.string()),
});
export type Item = z.output<typeof itemSchema>;

export const itemListSchema = z.object({ items: z.array(itemSchema), notice: z.string().nullable() });
export type ItemList = z.output<typeof itemListSchema>;
