import { randomUUID } from 'node:crypto';
import { rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandFailed, HostError, InstanceBusy, NotFound, PathRefused } from '../errors.js';
import { InstanceFolder } from '../instances/instance-folder.js';
import type { InstanceTurns } from '../instances/instance-turns.js';
import { buildName } from '../instances/names.js';
import { hasCode } from '../overlay/durable.js';
import { pathParts } from '../overlay/relative-path.js';
import { removeTree } from '../overlay/remove-tree.js';
import { treeParts } from '../overlay/tree-places.js';
import type { CommandRunner } from '../process/command-runner.js';
import { LOCK_BUSY, PROGRAMS } from '../programs.js';
import { CopiedTree } from './copied-tree.js';
import { type FilePart, followFile, type FollowRequest } from './follow-file.js';
import { LayeredTree } from './layered-tree.js';
import type { FolderPage, LayeredEntry, LeftOut, MergedTree, OpenedFile, PageRequest } from './merged-tree.js';
import type { KeptFiles } from '../yielding/kept-files.js';
import { ReplacedFiles, type ReplacedPage } from '../yielding/replaced-files.js';
import { type OwnSize, ownSizeIn } from './own-size.js';
import { serverLayers, shippedLayers } from './server-layers.js';

const PUT_AWAY_LIMIT_MS = 60_000;
/** How long a count is good for: walking what a server wrote may take a second. */
const COUNT_AGE_MS = 10_000;

/** What a server is made of, beside what is generated for it. */
export interface ShippedBy {
  overlays: readonly string[];
  build: string;
}

/** The trees of the servers of this machine, also while they run. Throws `NotInitialized` besides what `MergedTree` throws. */
export interface ServerFiles {
  list(name: string, path: string, request: PageRequest): Promise<FolderPage>;
  open(name: string, path: string): Promise<OpenedFile>;
  walk(name: string, path: string, signal?: AbortSignal): AsyncIterable<LayeredEntry | LeftOut>;
  follow(name: string, path: string, request: FollowRequest): AsyncIterable<FilePart>;
  /**
   * Whether servers with these overlays (`<id>/<revision>`) and this build of the game would have something at a path. Throws
   * `InvalidName`, `PathRefused`.
   */
  isShipped(layers: ShippedBy, path: string): Promise<boolean>;
  /**
   * How much of a file or folder the server wrote itself; of all by default, which may be some seconds old. Nothing where nothing is.
   * @param signal ends the count at a path; that of all is shared by all who ask
   */
  ownSize(name: string, path?: string, signal?: AbortSignal): Promise<OwnSize>;
  /**
   * Removes what the server wrote at a path and below, for good, whatever it is; what the layers have there is seen again (where layers are copied: from the next start on).
   * @throws InstanceBusy while it runs or something is done with it, NotFound, PathRefused
   */
  removeOwn(name: string, path: string): Promise<void>;
  /** What gave way to changed layers, the latest first. Throws HostError `bad-cursor`. */
  replaced(name: string, request: PageRequest): Promise<ReplacedPage>;
  /** A file of these. Throws NotFound, PathRefused, InvalidName. */
  openReplaced(name: string, job: string, path: string): Promise<OpenedFile>;
}

export class LocalServerFiles implements ServerFiles {
  private readonly replacedFiles: ReplacedFiles;
  private readonly counts = new Map<string, { at: number; size: Promise<OwnSize> }>();

  constructor(
    private readonly root: string,
    private readonly isolation: 'namespaces' | 'copy',
    private readonly turns: InstanceTurns,
    private readonly commands: CommandRunner,
    private readonly kept: KeptFiles,
  ) {
    this.replacedFiles = new ReplacedFiles(root);
  }

  async list(name: string, path: string, request: PageRequest): Promise<FolderPage> {
    return (await this.tree(name)).list(path, request);
  }

  async open(name: string, path: string): Promise<OpenedFile> {
    return (await this.tree(name)).open(path);
  }

  async *walk(name: string, path: string, signal?: AbortSignal): AsyncGenerator<LayeredEntry | LeftOut> {
    yield* (await this.tree(name)).walk(path, signal);
  }

  async *follow(name: string, path: string, request: FollowRequest): AsyncGenerator<FilePart> {
    yield* followFile(() => this.open(name, path), request);
  }

  async isShipped({ overlays, build }: ShippedBy, path: string): Promise<boolean> {
    const checked = { overlays: overlays.map((of) => treeParts(of).join('/')), build: buildName(build) };
    return (await new LayeredTree(shippedLayers(this.root, checked)).entry(path)) !== null;
  }

  ownSize(name: string, path = '', signal?: AbortSignal): Promise<OwnSize> {
    // Before something is deleted people are told what it is as it is now.
    if (path !== '') return this.count(name, path, signal);
    const known = this.counts.get(name);
    if (known && performance.now() - known.at < COUNT_AGE_MS) return known.size;
    const size = this.count(name, '');
    this.counts.set(name, { at: performance.now(), size });
    size.catch(() => this.counts.delete(name));
    return size;
  }

  async removeOwn(name: string, path: string): Promise<void> {
    const folder = new InstanceFolder(this.root, name);
    if (pathParts(path).length === 0) throw new PathRefused(path, 'the path is empty');
    await serverLayers(this.root, name);
    // Another removal may still be emptying its own.
    const removed = join(folder.removed(), randomUUID());
    try {
      await this.turns.remove(name, () => this.putAway(folder, path, removed));
      this.counts.delete(name);
    } finally {
      await removeTree(removed);
      await removeIfEmpty(folder.removed());
    }
  }

  replaced(name: string, request: PageRequest): Promise<ReplacedPage> {
    return this.replacedFiles.list(name, request);
  }

  openReplaced(name: string, job: string, path: string): Promise<OpenedFile> {
    return this.replacedFiles.open(name, job, path);
  }

  private async putAway(folder: InstanceFolder, path: string, removed: string): Promise<void> {
    // Shared: it keeps starts out and is kept out by a server, but is not taken for one (process-manager/liveness.ts).
    const lock = ['--shared', '--nonblock', '--no-fork', '--conflict-exit-code', String(LOCK_BUSY), folder.lock()];
    const program = [process.execPath, PROGRAMS.putAway, this.root, folder.name, this.isolation, path, removed];
    const said: string[] = [];
    const write = async (_: string, line: string): Promise<void> => void said.push(line);
    const run = { signal: new AbortController().signal, output: { write, progress: () => undefined } };
    try {
      await this.commands.run({ command: ['flock', ...lock, ...program], timeLimitMs: PUT_AWAY_LIMIT_MS }, run);
    } catch (error) {
      if (error instanceof CommandFailed && error.exitCode === LOCK_BUSY) {
        throw new InstanceBusy(folder.name, 'runs, or is just being started');
      }
      throw error;
    }
    const [refusal] = said;
    if (refusal !== undefined) throw refusedWith(refusal, path);
  }

  private async tree(name: string): Promise<MergedTree> {
    const layers = await serverLayers(this.root, name);
    const folder = new InstanceFolder(this.root, name);
    if (this.isolation === 'copy' && (await exists(folder.copyManifest()))) {
      return new CopiedTree(this.root, folder, layers);
    }
    return new LayeredTree([layers.own, ...layers.shipped], layers.hide);
  }

  private async count(name: string, path: string, signal?: AbortSignal): Promise<OwnSize> {
    const layers = await serverLayers(this.root, name);
    const tree = this.isolation === 'copy' ? await this.tree(name) : new LayeredTree([layers.own]);
    return ownSizeIn(tree, path, this.kept, signal);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

async function removeIfEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTEMPTY')) throw error;
  }
}

/** @param line what put-away-program.ts printed */
function refusedWith(line: string, path: string): HostError {
  const { code, message }: { code?: unknown; message?: unknown } = Object(JSON.parse(line));
  if (code === 'not-found') return new NotFound(path);
  if (code === 'path-refused') return new PathRefused(path, String(message).replace(`${JSON.stringify(path)}: `, ''));
  return new HostError(String(code), String(message));
}
