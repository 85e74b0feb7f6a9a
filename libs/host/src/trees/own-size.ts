import { NotFound, PathRefused } from '../errors.js';
import type { KeptFiles } from '../yielding/kept-files.js';
import type { LayeredEntry, LeftOut, MergedTree } from './merged-tree.js';

/** More is not counted. */
const MOST_COUNTED = 200_000;
const LONGEST_COUNT_MS = 10_000;
/** Of the files that never yield so many are named. */
const MOST_NAMED = 5;

/** What a server wrote itself, at a path and below. */
export interface OwnSize {
  /** Links, too. */
  files: number;
  bytes: number;
  /** False: there is more than was counted. */
  complete: boolean;
  /** Those of the files that no update replaces (`HostOptions.keptFiles`), and the paths of some: of the first patterns, if there are many. */
  kept: { files: number; paths: string[] };
}

type Countable = Pick<MergedTree, 'entry' | 'walk'>;

/**
 * Throws the signal's reason.
 * @param tree of the server, or of what it wrote only
 */
export async function ownSizeIn(
  tree: Countable,
  path: string,
  keptFiles: KeptFiles,
  signal?: AbortSignal,
): Promise<OwnSize> {
  const size = { files: 0, bytes: 0, complete: true };
  const kept = new KeptOnes(keptFiles);
  const end = performance.now() + LONGEST_COUNT_MS;
  let met = 0;
  for await (const entry of within(tree, path, signal)) {
    if (++met > MOST_COUNTED || performance.now() > end) return { ...size, complete: false, kept: kept.told() };
    if ('why' in entry) size.complete = false;
    else if (entry.type !== 'directory' && entry.layer.kind === 'own') {
      size.files++;
      size.bytes += entry.size;
      kept.meet(entry.path);
    }
  }
  return { ...size, kept: kept.told() };
}

class KeptOnes {
  private files = 0;
  private named: { path: string; pattern: number }[] = [];

  constructor(private readonly keptFiles: KeptFiles) {}

  meet(path: string): void {
    const pattern = this.keptFiles.indexOf(path);
    if (pattern < 0) return;
    this.files++;
    // A database must not go unnamed because there are many demos.
    if (pattern >= (this.named[MOST_NAMED - 1]?.pattern ?? Infinity)) return;
    this.named.push({ path, pattern });
    this.named.sort((one, other) => one.pattern - other.pattern);
    this.named.length = Math.min(this.named.length, MOST_NAMED);
  }

  told(): OwnSize['kept'] {
    return { files: this.files, paths: this.named.map(({ path }) => path) };
  }
}

/** The entry itself and all below it. */
async function* within(
  tree: Countable,
  path: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<LayeredEntry | LeftOut> {
  const top = path === '' ? null : await tree.entry(path);
  if (top !== null) yield top;
  if (path !== '' && top?.type !== 'directory') return;
  try {
    yield* tree.walk(path, signal);
  } catch (error) {
    if (error instanceof NotFound) return;
    if (!(error instanceof PathRefused)) throw error;
    yield { path, why: error.problem };
  }
}
