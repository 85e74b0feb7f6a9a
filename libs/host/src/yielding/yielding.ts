import { lstat, opendir } from 'node:fs/promises';
import { PathRefused } from '../errors.js';
import { DirHandle } from '../overlay/dir-handle.js';
import { hasCode } from '../overlay/durable.js';
import { opaqueAmong } from '../trees/opaque-folders.js';
import { KeptFiles } from './kept-files.js';
import { differs, type Shipped, ShippedFiles, type ShippedLayers } from './shipped-files.js';

/** Two generations, of which a server leaves one for the other. */
export interface Adoption {
  /** Null when it is not known what the server's files were laid over: nothing is taken for changed then. */
  before: ShippedLayers | null;
  after: ShippedLayers;
  /** Patterns of what never yields (`KeptFiles`). */
  kept: readonly string[];
}

/** A path at which the server did something of its own: wrote a file, or deleted one that it was shipped. */
export interface OwnPath {
  path: string;
  deleted: boolean;
}

/** The panel's settings would not reach a server that has a copy of its own. */
const ALWAYS = 'left4dead2/cfg/server.cfg';

/** Decides which of a server's own files give way to what the layers bring. */
export class Yielding {
  private readonly before: ShippedFiles | null;
  private readonly after: ShippedFiles;
  private readonly kept: KeptFiles;

  constructor({ before, after, kept }: Adoption) {
    this.before = before === null ? null : new ShippedFiles(before);
    this.after = new ShippedFiles(after);
    this.kept = new KeptFiles(kept);
  }

  /**
   * Those whose layers' content is another one now. What no layer has or had is the server's alone.
   * Folders that the server deleted, or made anew, as a whole stay as they are.
   */
  async yields(path: string): Promise<boolean> {
    const after = await this.after.find(path);
    if (path === ALWAYS && after?.generated === true) return true;
    return this.before !== null && !this.kept.has(path) && (await this.differs(path, after));
  }

  /** Whether something in this folder could yield at all. */
  async mayYieldIn(folder: string): Promise<boolean> {
    if (this.kept.has(`${folder}/`)) return false;
    return (await this.after.hasFolder(folder)) || (this.before !== null && (await this.before.hasFolder(folder)));
  }

  /** Whether the layers show a folder there from now on. */
  showsFolder(path: string): Promise<boolean> {
    return this.after.hasFolder(path);
  }

  private async differs(path: string, after: Shipped | null): Promise<boolean> {
    return this.before !== null && (await differs(await this.before.find(path), after));
  }
}

/** What yields of what a server wrote over its layers (`upper`), and what would but for a folder that hides the layers. */
export async function yieldingIn(
  upper: DirHandle,
  yielding: Yielding,
): Promise<{ yields: OwnPath[]; shut: { path: string; folder: string }[] }> {
  const found: OwnPath[] = [];
  for await (const own of ownPaths(await upper.child('.'), [], yielding)) {
    if (await yielding.yields(own.path)) found.push(own);
  }
  const opaque = await opaqueAmong(upper, [...new Set(found.flatMap(({ path }) => foldersOf(path)))]);
  const shut: { path: string; folder: string }[] = [];
  const yields = found.filter(({ path }) => {
    const folder = foldersOf(path).find((above) => opaque.has(above));
    if (folder !== undefined) shut.push({ path, folder });
    return folder === undefined;
  });
  return { yields, shut };
}

/** Closes `folder`. */
async function* ownPaths(folder: DirHandle, parts: readonly string[], yielding: Yielding): AsyncGenerator<OwnPath> {
  try {
    for await (const { name } of await opendir(folder.path)) {
      const path = [...parts, name].join('/');
      const stats = await lstat(folder.at(name)).catch((error: unknown) => {
        if (hasCode(error, 'ENOENT')) return null; // a name that is not UTF-8
        throw error;
      });
      if (stats === null) continue;
      if (!stats.isDirectory()) yield { path, deleted: stats.isCharacterDevice() };
      else if (await yielding.mayYieldIn(path)) {
        const child = await openUnlessClosed(folder, name);
        if (child !== null) yield* ownPaths(child, [...parts, name], yielding);
      }
    }
  } finally {
    await folder.close();
  }
}

/** Null for a folder that the server has closed to everybody: what it hides is its own business. */
async function openUnlessClosed(folder: DirHandle, name: string): Promise<DirHandle | null> {
  try {
    return await folder.child(name);
  } catch (error) {
    if (error instanceof PathRefused) return null;
    throw error;
  }
}

/** The folders that a path is in, outermost first. */
function foldersOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'));
}
