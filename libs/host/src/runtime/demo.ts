import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, copyFile, mkdir, readFile, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Interrupted } from '../errors.js';
import type { NewestBuild, Run } from '../host.js';
import { syncTree, temporaryName } from '../overlay/durable.js';
import { removeTree, removeUnfinished } from '../overlay/remove-tree.js';
import { pause } from '../process/pause.js';
import { PROGRAMS } from '../programs.js';
import type { Builds } from './builds.js';

/** So that the progress of an install can be seen: it would be over at once otherwise. */
const STEP_MS = 220;

interface DemoFile {
  /** Below the build. */
  path: string;
  source: string;
  executable: boolean;
}

/** Sets up the stand-in for the game: a small stock tree, the demo server, and a copy of the node that runs it. */
export class DemoRuntime {
  constructor(
    private readonly builds: Builds,
    private readonly stepMs = STEP_MS,
  ) {}

  async install(request: { build?: string }, run: Run): Promise<{ build: string; demo: boolean }> {
    const files = await demoFiles();
    const contentHash = await hashOf(files);
    const build = request.build ?? (await this.buildFor(contentHash));
    await run.output.write('stdout', 'No steamcmd is configured: setting up the demo runtime, not the real game.');
    const existing = await this.builds.record(build);
    if (existing !== null) {
      await run.output.write('stdout', `Build ${build} is installed already.`);
      run.output.progress(100, `${build} is installed already`);
    } else {
      await this.write(build, files, contentHash, run);
    }
    // fault point: build not yet current
    await this.builds.makeCurrent(build);
    await run.output.write('stdout', `Success! Build ${build} is the current one.`);
    return { build, demo: true };
  }

  newest(): Promise<NewestBuild | null> {
    return Promise.resolve(null);
  }

  look(): Promise<void> {
    return Promise.resolve();
  }

  /** The installed one with this content, or the next free number. */
  private async buildFor(contentHash: string): Promise<string> {
    const builds = await this.builds.list();
    const same = builds.find((record) => record.contentHash === contentHash && /^demo-[0-9]+$/.test(record.build));
    if (same !== undefined) return same.build;
    const numbers = builds.map((record) => Number(/^demo-([0-9]+)$/.exec(record.build)?.[1] ?? 0));
    return `demo-${Math.max(0, ...numbers) + 1}`;
  }

  private async write(build: string, files: readonly DemoFile[], contentHash: string, run: Run): Promise<void> {
    const temporary = temporaryName(this.builds.path(build));
    await removeUnfinished(this.builds.folder); // a real game has 10 GB
    let bytes = 0;
    try {
      for (const [i, file] of files.entries()) {
        const percent = Math.round(((i + 1) / files.length) * 100);
        bytes += await copyInto(temporary, file);
        run.output.progress(percent, `setting up ${build}`);
        await run.output.write('stdout', ` Update state (0x61) setting up, progress: ${percent}.00 (${file.path})`);
        await pause(this.stepMs, run.signal);
        if (run.signal.aborted) throw new Interrupted('install');
      }
      await syncTree(temporary);
      const installedAt = new Date().toISOString();
      await this.builds.publish(temporary, { build, installedAt, demo: true, bytes, contentHash });
    } catch (error) {
      await removeTree(temporary);
      throw error;
    }
  }
}

async function demoFiles(): Promise<DemoFile[]> {
  const files: DemoFile[] = [];
  const collect = async (source: string, below: string): Promise<void> => {
    for (const entry of await readdir(join(source, below), { withFileTypes: true })) {
      const path = join(below, entry.name);
      if (entry.isDirectory()) await collect(source, path);
      else files.push({ path, source: join(source, path), executable: entry.name === 'srcds_run' });
    }
  };
  await collect(join(PROGRAMS.demoRuntime, 'tree'), '');
  const stock = files.splice(0);
  await collect(PROGRAMS.demoRuntime, 'bin');
  // The server must not depend on a node that an update of the machine replaces or removes.
  const node = { path: 'bin/demo-node', source: process.execPath, executable: true };
  return [...stock, ...files, node].sort((a, b) => a.path.localeCompare(b.path));
}

/** Over the files' contents; of node only its version, which is quicker than hashing 100 MB. */
async function hashOf(files: readonly DemoFile[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) {
    hash.update(`${file.path}\0`);
    hash.update(file.source === process.execPath ? process.version : await readFile(file.source));
  }
  return hash.digest('hex');
}

async function copyInto(folder: string, file: DemoFile): Promise<number> {
  const target = join(folder, file.path);
  await mkdir(dirname(target), { recursive: true });
  await copyFile(file.source, target, constants.COPYFILE_FICLONE);
  await chmod(target, file.executable ? 0o755 : 0o644);
  return (await stat(target)).size;
}
