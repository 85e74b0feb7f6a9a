import { copyFile, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { hasCode, readLinkIfAny } from '../overlay/durable.js';
import { removeTree } from '../overlay/remove-tree.js';

const OUTPUT = 'builds';
const RUN = join('cache', 'script-runs');
/** In the folder of a run: links to the build of the game that it reads, which stays as long as the link (runtime/retention.ts). */
const GAME = 'game';
const TMP = join('cache', 'script-tmp');

/** The folders of one run of a script, all below LEFT4ME_ROOT. Outside its sandbox nothing is ever looked up in them by name. */
export class ScriptPlace {
  /** What is published afterwards: `$LEFT4ME_OVERLAY`. */
  readonly output: string;
  /** Kept from build to build: `$LEFT4ME_CACHE`. */
  readonly cache: string;
  /** Of this run alone: script, proxy's socket. The script cannot write here. */
  readonly run: string;
  readonly tmp: string;
  readonly script: string;
  readonly proxySocket: string;

  constructor(
    private readonly root: string,
    readonly id: string,
    /** The game's folder: `$LEFT4ME_GAME`. */
    readonly game: string,
  ) {
    this.output = join(root, OUTPUT, id);
    this.cache = join(root, 'cache', 'scripts', id);
    this.run = join(root, RUN, id);
    this.tmp = join(root, TMP, id);
    this.script = join(this.run, 'script');
    this.proxySocket = join(this.run, 'proxy');
  }

  /** Removes all of a run, also of one that was killed, but the cache. Missing: success. */
  static async discard(root: string, id: string): Promise<void> {
    for (const place of [RUN, TMP, OUTPUT]) await removeTree(join(root, place, id));
  }

  /** The folders that the script can write to. */
  get writable(): string[] {
    return [this.output, this.cache, this.tmp];
  }

  /** Nothing is left of an earlier run but the cache. */
  async prepare(script: string, programs: readonly string[]): Promise<void> {
    await ScriptPlace.discard(this.root, this.id);
    for (const folder of [...this.writable, this.run]) await mkdir(folder, { recursive: true });
    await symlink(this.game, join(this.run, GAME));
    await writeFile(this.script, script);
    for (const program of programs) await copyFile(program, join(this.run, program.split('/').at(-1) ?? ''));
  }

  /** Whatever permissions the script has given it. */
  async clearCache(): Promise<void> {
    await removeTree(this.cache);
  }

  /** Removes what no later run needs. */
  async clear(): Promise<void> {
    await removeTree(this.run);
    await removeTree(this.tmp);
  }
}

/** The builds of the game that scripts read at this moment, or that killed ones have read. */
export async function buildsOfScripts(root: string): Promise<string[]> {
  const runs = await namesIn(join(root, RUN));
  const games = await Promise.all(runs.map((run) => readLinkIfAny(join(root, RUN, run, GAME))));
  return games.filter((game) => game !== null).map((game) => basename(game));
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}
