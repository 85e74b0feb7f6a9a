import { z } from 'zod';

/** What the API asks the worker of a host about the files of its servers. A protocol of our own, between processes of one version. */
export const questions = [
  'list',
  'stat',
  'content',
  'archive',
  'follow',
  'shipped',
  'size',
  'remove',
  'replaced',
  'replaced-stat',
  'replaced-content',
] as const;
export type Question = (typeof questions)[number];

const layer = z.object({ kind: z.enum(['own', 'generated', 'overlay', 'game']), of: z.string().nullable() });

export const pageAnswer = z.object({
  items: z.array(
    z.object({
      name: z.string(),
      path: z.string(),
      type: z.enum(['file', 'directory', 'link']),
      size: z.number(),
      modifiedAt: z.string(),
      target: z.string().nullable(),
      layer,
      hides: z.array(layer),
      merged: z.boolean(),
    }),
  ),
  nextCursor: z.string().nullable(),
  unreadableNames: z.number(),
});
export type PageAnswer = z.infer<typeof pageAnswer>;

export const statAnswer = z.object({ size: z.number(), modifiedAt: z.string(), etag: z.string() });
export type StatAnswer = z.infer<typeof statAnswer>;

export const shippedAnswer = z.boolean();

export const sizeAnswer = z.object({
  files: z.number(),
  bytes: z.number(),
  complete: z.boolean(),
  kept: z.object({ files: z.number(), paths: z.array(z.string()) }),
});

export const replacedAnswer = z.object({
  items: z.array(
    z.object({
      job: z.string(),
      path: z.string(),
      size: z.number(),
      target: z.string().nullable(),
      replacedAt: z.string(),
    }),
  ),
  nextCursor: z.string().nullable(),
});
export type ReplacedAnswer = z.infer<typeof replacedAnswer>;

/** A line of the answer to `follow`. */
export const followStep = z.object({
  /** Positions are byte offsets behind the line. */
  items: z.array(z.object({ position: z.string(), line: z.string() })),
  /** Bytes before the first item that are not given, since there are too many. */
  skipped: z.number(),
  /** The file is another one than before, or was emptied. */
  truncated: z.boolean(),
});
export type FollowStep = z.infer<typeof followStep>;

/** Why a question is not answered: a HostError's code and message. */
export const refusal = z.object({ code: z.string(), message: z.string() });
