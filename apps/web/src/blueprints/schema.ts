import { z } from 'zod';

const fileSchema = z.object({ path: z.string(), content: z.string() });
export type BlueprintFile = z.output<typeof fileSchema>;

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
      usable: z.boolean(),
    }),
  ),
  arguments: z.array(z.string()),
  config: z.string(),
  files: z.array(fileSchema),
  hide: z.array(z.string()),
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
  files: BlueprintFile[];
  hide: string[];
}

/** Everything that would be generated for a server; secrets are masked in it. */
export const previewSchema = z.object({
  serverName: z.string(),
  build: z.string().nullable(),
  overlays: z.array(z.object({ overlayId: z.number(), name: z.string(), revision: z.number().nullable() })),
  command: z.array(z.string()),
  files: z.array(
    z.object({
      path: z.string(),
      source: z.enum(['panel', 'overlay', 'blueprint']),
      overlayName: z.string().nullable(),
      content: z.string(),
    }),
  ),
  hide: z.array(z.string()),
  warnings: z.array(z.string()),
});
export type Preview = z.output<typeof previewSchema>;

/** A blueprint that is not saved; left out: as saved, and for a sample server. */
export interface PreviewInput extends Omit<BlueprintInput, 'name' | 'description'> {
  blueprintId?: number;
  serverId?: number;
}
