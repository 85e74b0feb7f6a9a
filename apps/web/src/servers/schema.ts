import { z } from 'zod';
import { jobSchema } from '../jobs/schema';

export const actualStates = ['absent', 'stopped', 'starting', 'running', 'stopping', 'failed', 'unknown'] as const;
export type ActualState = (typeof actualStates)[number];

export const serverSchema = z.object({
  id: z.number(),
  name: z.string(),
  title: z.string().nullable(),
  port: z.number(),
  hostId: z.number(),
  hostName: z.string(),
  blueprintId: z.number(),
  blueprintName: z.string(),
  ownerId: z.number().nullable(),
  ownerName: z.string().nullable(),
  desiredState: z.enum(['absent', 'stopped', 'running']),
  actualState: z.enum(actualStates),
  actualStateAt: z.string().nullable(),
  ready: z.boolean().nullable(),
  readyAt: z.string().nullable(),
  lastError: z.string().nullable(),
  pendingChanges: z.array(z.string()),
  map: z.string().nullable(),
  players: z.number().nullable(),
  maxPlayers: z.number().nullable(),
  usage: z
    .object({
      memoryBytes: z.number(),
      memoryLimitBytes: z.number().nullable(),
      cpuPercent: z.number().nullable(),
      cpuLimitPercent: z.number().nullable(),
      tasks: z.number().nullable().default(null),
      tasksLimit: z.number().nullable(),
    })
    .nullable(),
  connect: z.string().nullable(),
  job: jobSchema.nullable(),
  createdAt: z.string(),
  updatedAt: z.string(),
});
export type Server = z.output<typeof serverSchema>;

export type ServerOperation = 'initialize' | 'start' | 'stop' | 'restart' | 'delete';

export interface ServerInput {
  name: string;
  title?: string;
  port?: number;
  blueprintId: number;
  /** Without it: `local`. */
  hostId?: number;
}

/** The rule for names, from the API: they become folder and unit names on the host, and digits alone would be an id. */
export const serverNamePattern = /^(?!\d+$)[a-z0-9][a-z0-9-]{0,31}$/;
