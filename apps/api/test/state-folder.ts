import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdir, mkdtemp, readFile, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ordinaryUser } from '../src/embedded/ordinary-user.js';
import { cacheFolder } from './cache-folder.js';
import { eventually } from './eventually.js';

const PROGRAM = fileURLToPath(new URL('../dist/left4me.js', import.meta.url));

/** A state folder of a test's own, and how to run the built left4me on it, the way `npm start` does. */
export class StateFolder {
  private constructor(
    readonly root: string,
    private readonly prefix: readonly string[],
    private readonly program: string,
  ) {}

  /** @param program what is run on it */
  static async make(program = PROGRAM): Promise<StateFolder> {
    const root = await mkdtemp(join(tmpdir(), 'left4me-real-'));
    const user = await ordinaryUser();
    if (user.owner) await chown(root, user.owner.uid, user.owner.gid);
    else {
      // Redis has been fetched for the tests' own services already, where the machine has none.
      await mkdir(join(root, 'cache'));
      await symlink(await cacheFolder(), join(root, 'cache', 'packages'));
    }
    return new StateFolder(root, user.prefix, program);
  }

  /** Starts a command of left4me; it ends with the test at the latest. */
  run(command: readonly string[], env: Record<string, string>): ChildProcess {
    return this.execute([process.execPath, this.program, ...command], env);
  }

  /** Starts any program as the user that the folder belongs to; it ends with the test at the latest. */
  execute(argv: readonly string[], env: Record<string, string> = {}): ChildProcess {
    const [program = '', ...args] = [...this.prefix, 'setpriv', '--pdeathsig', 'TERM', '--', ...argv];
    const { PATH = '', HOME = '/' } = process.env;
    return spawn(program, args, { cwd: '/', stdio: 'pipe', env: { PATH, HOME, LEFT4ME_ROOT: this.root, ...env } });
  }

  /** Runs a command of left4me to its end. */
  async finish(command: readonly string[], env: Record<string, string> = {}): Promise<Finished> {
    const child = this.run(command, env);
    const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
    await once(child, 'close');
    return { code: child.exitCode, stdout: stdout(), stderr: stderr() };
  }

  /** Every process that was started for this folder: services, supervisors, launchers. */
  async processes(): Promise<{ pid: number; command: string }[]> {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const found = await Promise.all(
      pids.map(async (name) => {
        const line = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
        return { pid: Number(name), command: line.replaceAll('\0', ' ') };
      }),
    );
    return found.filter(({ command }) => command.includes(this.root));
  }

  /** Ends whatever of it still runs, servers too, and removes it. */
  async remove(): Promise<void> {
    await eventually('every process of the panel is gone', async () => {
      const left = await this.processes();
      for (const { pid } of left) killIfThere(pid);
      return left.length === 0;
    });
    // overlayfs makes folders that nobody may enter.
    spawnSync('chmod', ['-R', 'u+rwX', this.root]);
    await rm(this.root, { recursive: true, force: true });
  }
}

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** What a stream has brought so far. */
export function collect(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: string[] = [];
  stream?.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  return () => chunks.join('');
}
