import { z } from 'zod';

export const blueprintSchema = z.object({
  id: z.number(),
  name: z.string(),
  description: z.string().nullable(),
  ownerId: z.number().nullable(),
  ownerName: z.string().nullable(),
  overlays: z.array(
    z.object({
      overlayId: z.number(),
      name: z.string(),
      exposeServerCfg: z.boolean(),
      revision: z.number().nullable(),
    }),
  ),
  arguments: z.array(z.string()),
  config: z.string(),
  servers: z.array(z.object({ id: z.number(), name: z.string() })),
  createdAt: z.string(),
  updatedAt: z.string(),
});
export type Blueprint = z.output<typeof blueprintSchema>;
export type BlueprintOverlay = Blueprint['overlays'][number];

export const variableSchema = z.object({ name: z.string(), description: z.string() });
export type Variable = z.output<typeof variableSchema>;

export interface BlueprintInput {
  name: string;
  description: string;
  overlays: { overlayId: number; exposeServerCfg: boolean }[];
  arguments: string[];
  config: string;
}
