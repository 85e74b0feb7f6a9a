import { z } from 'zod';

/** A secret as it can be seen: without its value. */
export const secretSchema = z.object({
  name: z.string(),
  blueprints: z.array(z.object({ id: z.number(), name: z.string() })),
  createdAt: z.string(),
  updatedAt: z.string(),
});
export type Secret = z.output<typeof secretSchema>;
