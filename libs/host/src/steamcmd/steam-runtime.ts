import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildNotInstalled, Interrupted, TimedOut } from '../errors.js';
import type { NewestBuild, Run } from '../host.js';
import { hasCode, makeFolderDurably, temporaryName } from '../overlay/durable.js';
import { removeTree, removeUnfinished } from '../overlay/remove-tree.js';
import type { CommandRunner } from '../process/command-runner.js';
import type { BuildRecord, Builds } from '../runtime/builds.js';
import type { Retention } from '../runtime/retention.js';
import { APP_ID, parseAppManifest, type PublicBuild } from './app-info.js';
import { checkDiskSpace, treeBytes } from './disk-space.js';
import type { NewestKnown } from './newest-known.js';
import { selfUpdateProblem, SteamClient } from './steam-client.js';
import { SteamFailed } from './steam-failed.js';
import type { Steamcmd } from './steamcmd.js';

/** Copying 10 GB, and bringing it to the disk. */
const COPY_LIMIT_MS = 2 * 3600_000;

/**
 * The real game, by steamcmd. Each build is a folder of its own: a copy of an earlier one that steamcmd updates, published when it is
 * whole. So whatever goes wrong, what servers use stays as it is, and so does the current build.
 */
export class SteamRuntime {
  private readonly client: SteamClient;
  private installing = false;
  /** A look for a newer build, which gives way to an install: Steam's home is for one at a time. */
  private looking: { stop: AbortController; over: Promise<unknown> } | null = null;

  constructor(
    private readonly steamcmd: Steamcmd,
    private readonly builds: Builds,
    private readonly retention: Retention,
    private readonly known: NewestKnown,
    private readonly commands: CommandRunner,
  ) {
    this.client = new SteamClient(steamcmd.program, steamcmd.home);
  }

  /**
   * Without `build`: gets the newest build, or says that it is there already. With it: makes an installed build the current one.
   * Then removes the builds that nobody needs. Throws `SteamFailed`, `BuildNotInstalled`, `Interrupted`; the current build is as it
   * was then.
   */
  async install(request: { build?: string }, run: Run): Promise<{ build: string; demo: boolean }> {
    this.installing = true;
    try {
      this.looking?.stop.abort();
      await this.looking?.over;
      await makeFolderDurably(this.builds.folder);
      await removeUnfinished(this.builds.folder); // of an install that was killed
      const installed =
        request.build === undefined
          ? await this.update(run)
          : await this.switchTo(await this.installed(request.build), run);
      await this.tidy(run);
      return installed;
    } finally {
      this.installing = false;
    }
  }

  newest(): Promise<NewestBuild | null> {
    return this.known.read();
  }

  /** Asks Steam for its newest build, unless an install runs: that asks by itself. Throws `SteamFailed`, `Interrupted`. */
  async look(run: Run): Promise<void> {
    if (this.installing || this.looking !== null) return;
    const stop = new AbortController();
    const signal = AbortSignal.any([run.signal, stop.signal]);
    const asked = this.ask({ ...run, signal });
    this.looking = { stop, over: asked.catch(() => undefined) };
    try {
      await asked;
    } catch (error) {
      if (!(error instanceof Interrupted && stop.signal.aborted)) throw error;
    } finally {
      this.looking = null;
    }
  }

  /** The game is installed, whether or not this works. */
  private async tidy(run: Run): Promise<void> {
    try {
      await this.retention.collect(run);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      await run.output.write('stderr', `Older builds stay where they are: ${why}`);
    }
  }

  private async installed(build: string): Promise<BuildRecord> {
    const record = await this.builds.record(build);
    if (record !== null) return record;
    const others = await this.builds.list();
    throw new BuildNotInstalled(
      build,
      others.map((other) => other.build),
    );
  }

  private async switchTo({ build, demo }: BuildRecord, run: Run): Promise<{ build: string; demo: boolean }> {
    const before = await this.builds.current();
    await this.builds.makeCurrent(build);
    await run.output.write(
      'stdout',
      before === build
        ? `Build ${build} is the current one already.`
        : `Build ${build} is the current one now (it was ${before ?? 'none'}).`,
    );
    run.output.progress(100, `${build} is the current build`);
    return { build, demo };
  }

  private async update(run: Run): Promise<{ build: string; demo: boolean }> {
    await this.steamcmd.require();
    const problem = await selfUpdateProblem(this.steamcmd.program);
    if (problem !== null) await run.output.write('stderr', problem);
    run.output.progress(null, 'asking Steam for the newest build');
    const newest = await this.askIfPossible(run);
    await this.client.link(run);
    const there = newest === null ? null : await this.builds.record(newest.build);
    if (there !== null) return this.alreadyThere(there, run);

    const base = await this.base();
    const copy = base === null ? null : { build: base.build, bytes: base.bytes };
    await checkDiskSpace(this.builds.folder, { copy, gameBytes: newest?.bytes ?? null }, run);
    const temporary = temporaryName(this.builds.path('new'));
    try {
      await this.copy(base, temporary, run);
      await this.steamcmd.install(temporary, run);
      await this.client.link(run);
      const record = await this.examine(temporary);
      const same = await this.sameAs(record, run);
      if (same === null) await this.publish(temporary, record, run);
      else await removeTree(temporary);
      // Released since Steam was asked, or it did not say.
      if (newest === null || Number(record.build) > Number(newest.build)) await this.known.write(record.build);
      if (same !== null) return await this.alreadyThere(same, run);
      // fault point: build not yet current
      return await this.switchTo(record, run);
    } catch (error) {
      await removeTree(temporary);
      throw diskFull(error) ?? error;
    }
  }

  /** The build that is there already; one without a record is whole, as it got its name last, and servers may use it. */
  private async sameAs(record: BuildRecord, run: Run): Promise<BuildRecord | null> {
    const known = await this.builds.record(record.build);
    if (known !== null || !(await this.builds.exists(record.build))) return known;
    await run.output.write('stderr', `Build ${record.build} was there without a record of it, which is made anew.`);
    await this.builds.writeRecord(record);
    return record;
  }

  /** The newest build is there: nothing is published, though it may not have been the current one. */
  private async alreadyThere(record: BuildRecord, run: Run): Promise<{ build: string; demo: boolean }> {
    if ((await this.builds.current()) !== record.build) return this.switchTo(record, run);
    await this.client.compare(this.builds.path(record.build), run);
    await run.output.write('stdout', `Build ${record.build} is already newest: nothing to do.`);
    run.output.progress(100, `${record.build} is already newest`);
    return { build: record.build, demo: record.demo };
  }

  /** What steamcmd starts from: the current build, else the last one it made; null: it gets everything. */
  private async base(): Promise<BuildRecord | null> {
    const made = (await this.builds.list()).filter(({ demo }) => !demo);
    const current = await this.builds.current();
    return made.find(({ build }) => build === current) ?? made[0] ?? null;
  }

  /** Never links: steamcmd writes into files, and a file of two builds would change under the servers of the other. */
  private async copy(base: BuildRecord | null, temporary: string, run: Run): Promise<void> {
    if (base === null) {
      await mkdir(temporary);
      return;
    }
    run.output.progress(null, `copying build ${base.build}`);
    await run.output.write('stdout', `Copying build ${base.build}: steamcmd updates the copy.`);
    const command = ['cp', '--archive', '--reflink=auto', '--', this.builds.path(base.build), temporary] as const;
    await this.commands.run({ command, timeLimitMs: COPY_LIMIT_MS }, run);
  }

  /** What steamcmd has made of the folder. Throws `SteamFailed` (incomplete). */
  private async examine(folder: string): Promise<BuildRecord> {
    const manifest = `steamapps/appmanifest_${APP_ID}.acf`;
    const app = parseAppManifest(await textOf(join(folder, manifest)));
    if (app === null) throw new SteamFailed('incomplete', { more: `${manifest} does not tell a build` });
    if (!app.complete)
      throw new SteamFailed('incomplete', { more: `${manifest} says that build ${app.build} is not complete` });
    if (!(await isFile(join(folder, 'srcds_run')))) {
      throw new SteamFailed('incomplete', { more: 'srcds_run, the Linux server, is not among the files' });
    }
    const bytes = await treeBytes(folder);
    const installedAt = new Date().toISOString();
    return { build: app.build, installedAt, demo: false, bytes, contentHash: `steam:${app.build}` };
  }

  private async publish(temporary: string, record: BuildRecord, run: Run): Promise<void> {
    await this.client.copyInto(temporary, run);
    run.output.progress(null, 'writing to the disk');
    // One syncfs instead of an fsync per file.
    await this.commands.run({ command: ['sync', '--file-system', temporary], timeLimitMs: COPY_LIMIT_MS }, run);
    if (run.signal.aborted) throw new Interrupted('install');
    await this.builds.publish(temporary, record);
  }

  /** The newest build; null where Steam does not say, which an install is not held up by. */
  private async askIfPossible(run: Run): Promise<PublicBuild | null> {
    try {
      const newest = await this.ask(run);
      const said =
        newest === null ? 'Steam does not say what its newest build is.' : `Steam's newest build is ${newest.build}.`;
      await run.output.write('stdout', said);
      return newest;
    } catch (error) {
      const unclear = error instanceof TimedOut || (error instanceof SteamFailed && error.reason === 'failed');
      if (!unclear) throw error;
      await run.output.write('stderr', `Steam does not say what its newest build is: ${error.message}`);
      return null;
    }
  }

  private async ask(run: Run): Promise<PublicBuild | null> {
    const newest = await this.steamcmd.newest(run);
    if (newest !== null) await this.known.write(newest.build);
    return newest;
  }
}

/** What says of a copy or of our own files that there was no room for them; null for anything else. */
function diskFull(error: unknown): SteamFailed | null {
  if (!(error instanceof Error) || error instanceof SteamFailed) return null;
  return /No space left on device|ENOSPC/.test(error.message)
    ? new SteamFailed('disk-full', { said: error.message })
    : null;
}

/** Empty when it is not there. */
async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return '';
    throw error;
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}
