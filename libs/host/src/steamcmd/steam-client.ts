import { access, copyFile, constants, lstat, mkdir, readFile, realpath, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Run } from '../host.js';
import { hasCode, swapLink, temporaryName } from '../overlay/durable.js';

/** Where a game server looks for it, below its HOME. */
const SDK = join('.steam', 'sdk32', 'steamclient.so');
/** Where steamcmd has it, beside its program or, as Debian packages it, in its home. */
const IN_STEAMCMD = join('linux32', 'steamclient.so');
const HOMES = ['.local/share/Steam/steamcmd', '.steam/steamcmd', '.local/share/Steam', 'Steam'];

/**
 * steamclient.so, by which servers log in to Steam: an old or missing one lets the login hang. steamcmd keeps its own current; in
 * Steam's home a link leads to that. A server sees nothing outside its own tree, its HOME, so each build has a copy in it.
 */
export class SteamClient {
  constructor(
    private readonly program: string,
    private readonly home: string,
  ) {}

  /** Changes nothing. `unlinked`: the link in Steam's home is missing or leads elsewhere. */
  async state(): Promise<'linked' | 'unlinked' | 'missing'> {
    const client = await this.find();
    if (client === null) return 'missing';
    return (await leadsTo(join(this.home, SDK))) === client ? 'linked' : 'unlinked';
  }

  /** Makes the link in Steam's home, where it is missing or leads elsewhere, and says so. */
  async link(run: Run): Promise<void> {
    const client = await this.find();
    if (client === null) {
      await run.output.write(
        'stderr',
        `${IN_STEAMCMD} is not beside steamcmd: servers could not log in to Steam (see LEFT4ME_STEAMCMD)`,
      );
      return;
    }
    const path = join(this.home, SDK);
    if ((await leadsTo(path)) === client) return;
    const was = (await isThere(path)) ? 'was an old copy, or led elsewhere' : 'was missing';
    await mkdir(dirname(path), { recursive: true });
    await swapLink(path, client);
    await run.output.write('stdout', `the link ~/.steam/sdk32/steamclient.so ${was}: it leads to ${client} now`);
  }

  /** Copies steamcmd's into a build that is not published yet. */
  async copyInto(build: string, run: Run): Promise<void> {
    const client = await this.find();
    if (client === null) return; // `link` has said so
    const target = join(build, SDK);
    await mkdir(dirname(target), { recursive: true });
    const temporary = temporaryName(target);
    await copyFile(client, temporary, constants.COPYFILE_FICLONE);
    await rename(temporary, target);
    await run.output.write('stdout', `copied ${client} to ~/.steam/sdk32/ of the servers`);
  }

  /** Says so when the copy in a published build is another one than steamcmd's. */
  async compare(build: string, run: Run): Promise<void> {
    const client = await this.find();
    if (client === null) return;
    const [theirs, own] = await Promise.all([client, join(build, SDK)].map(contentOf));
    if (theirs === null || own === null || theirs === undefined || own === undefined || theirs.equals(own)) return;
    await run.output.write(
      'stderr',
      'steamclient.so of the current build is older than the one of steamcmd: servers get the newer one with the next build',
    );
  }

  private async find(): Promise<string | null> {
    const program = await realpath(this.program);
    const folders = [dirname(program), ...HOMES.map((folder) => join(this.home, folder))];
    for (const folder of folders) {
      const path = join(folder, IN_STEAMCMD);
      if (await isThere(path)) return realpath(path);
    }
    return null;
  }
}

/**
 * Why steamcmd cannot update itself, which it does at every start and does not work for long without; null: it can, or it keeps itself
 * in its home, as Debian packages it.
 */
export async function selfUpdateProblem(program: string): Promise<string | null> {
  const folder = dirname(await realpath(program));
  const programs = join(folder, 'linux32');
  if (!(await isThere(programs))) return null;
  try {
    for (const path of [folder, programs]) await access(path, constants.W_OK);
    return null;
  } catch (error) {
    if (!hasCode(error, 'EACCES', 'EROFS')) throw error;
    return `steamcmd cannot update itself, as ${folder} cannot be written: put it below LEFT4ME_ROOT, owned by the service user`;
  }
}

/** Null for a link that leads nowhere, too. */
async function leadsTo(path: string): Promise<string | null> {
  try {
    return await realpath(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

async function contentOf(path: string): Promise<Buffer | null> {
  try {
    return (await stat(path)).isFile() ? await readFile(path) : null;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}
