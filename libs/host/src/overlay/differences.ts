import { Interrupted, TimedOut } from '../errors.js';
import { type ContentEntry, revisionContents, treeContents } from './contents.js';
import { comparePaths } from './manifest.js';
import { timeLimit } from '../process/time-limit.js';

/** One path that two trees do not have in common. */
export interface Difference {
  path: string;
  change: 'added' | 'removed' | 'changed';
  /** Bytes; null where it is missing. */
  sizeBefore: number | null;
  sizeAfter: number | null;
}

export interface DifferenceRequest {
  /** Folders; a revision's may have a manifest beside it. */
  before: string;
  after: { revision: string } | { draft: string };
  /** At most so many. */
  limit: number;
  /** Only paths behind this one. */
  behind?: string;
  /** After this time, ms, the rest is for the next call. */
  timeLimitMs: number;
  /** But one path is compared at least, if it takes no longer than this. */
  longestMs: number;
  /** Nobody waits for it any more. */
  signal: AbortSignal;
}

export interface Differences {
  items: Difference[];
  /** To be given as `behind`; null: there are no more. */
  next: string | null;
}

/** What was added, removed and changed, by path. Streams: neither tree is held in memory. Throws `Interrupted`, `TimedOut`. */
export async function differences(request: DifferenceRequest): Promise<Differences> {
  const { limit, behind, timeLimitMs, longestMs, signal } = request;
  const longest = timeLimit(longestMs);
  const all = AbortSignal.any([signal, longest]);
  const page = AbortSignal.any([all, timeLimit(timeLimitMs)]);
  const items: Difference[] = [];
  let compared: string | null = null;
  const after = 'draft' in request.after ? treeContents(request.after.draft) : revisionContents(request.after.revision);
  try {
    for await (const [left, right] of pairs(revisionContents(request.before), after)) {
      if (all.aborted) throw new Interrupted('comparing');
      const path = (left ?? right)?.path ?? '';
      if (behind !== undefined && comparePaths(path, behind) <= 0) continue;
      if (items.length === limit || (page.aborted && compared !== null)) return { items, next: compared };
      const change = await changeOf(left, right, compared === null ? all : page);
      if (change !== null) items.push({ path, change, sizeBefore: left?.size ?? null, sizeAfter: right?.size ?? null });
      compared = path;
    }
    return { items, next: null };
  } catch (error) {
    if (!(error instanceof Interrupted) || signal.aborted) throw error;
    if (longest.aborted) throw new TimedOut('comparing', longestMs);
    // In the middle of a file, which the next page begins with.
    return { items, next: compared };
  }
}

type Pair = [ContentEntry | null, ContentEntry | null];

/** Goes through two trees side by side. */
async function* pairs(before: AsyncGenerator<ContentEntry>, after: AsyncGenerator<ContentEntry>): AsyncGenerator<Pair> {
  try {
    let [left, right] = [await nextOf(before), await nextOf(after)];
    while (left !== null || right !== null) {
      const order = left === null ? 1 : right === null ? -1 : comparePaths(left.path, right.path);
      yield [order <= 0 ? left : null, order >= 0 ? right : null];
      if (order <= 0) left = await nextOf(before);
      if (order >= 0) right = await nextOf(after);
    }
  } finally {
    await Promise.all([before.return(undefined), after.return(undefined)]);
  }
}

async function nextOf(entries: AsyncGenerator<ContentEntry>): Promise<ContentEntry | null> {
  const { value, done } = await entries.next();
  return done === true ? null : value;
}

async function changeOf(
  left: ContentEntry | null,
  right: ContentEntry | null,
  signal: AbortSignal,
): Promise<Difference['change'] | null> {
  if (left === null) return 'added';
  if (right === null) return 'removed';
  const sameKind = left.type === right.type && left.executable === right.executable && left.size === right.size;
  return sameKind && (await left.hash(signal)) === (await right.hash(signal)) ? null : 'changed';
}
