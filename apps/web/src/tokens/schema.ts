import { z } from 'zod';

export const scopes = ['read', 'operate', 'manage'] as const;
export type Scope = (typeof scopes)[number];

export const tokenSchema = z.object({
  id: z.number(),
  name: z.string(),
  scopes: z.array(z.enum(scopes)),
  serverIds: z.array(z.number()).nullable(),
  expiresAt: z.string().nullable(),
  lastUsedAt: z.string().nullable(),
  createdAt: z.string(),
});
export type Token = z.output<typeof tokenSchema>;

/** The answer to creating one: the only time the secret is shown. */
export const newTokenSchema = tokenSchema.extend({ token: z.string() });
export type NewToken = z.output<typeof newTokenSchema>;

export interface TokenInput {
  name: string;
  scopes: Scope[];
  serverIds?: number[];
  expiresAt?: string;
}
