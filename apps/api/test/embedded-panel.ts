import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { access, chmod, chown, mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ordinaryUser } from '../src/embedded/ordinary-user.js';
import { identify } from '../src/embedded/process-identity.js';
import { cacheFolder } from './cache-folder.js';

const PROGRAM = fileURLToPath(new URL('fixtures/embedded-panel.mjs', import.meta.url));
const BUILT = fileURLToPath(new URL('../dist/embedded/embedded.js', import.meta.url));
const NOBODY = 65534;
const AS_NOBODY = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--'] as const;

export type Who = 'ourselves' | 'somebody' | 'mapped';

/** Who can be tried here: others only by root, and somebody else only if they may read this checkout (it may be below /root). */
export async function people(): Promise<Who[]> {
  const found: Who[] = ['ourselves'];
  if (process.getuid?.() !== 0) return found;
  const [setpriv, ...args] = AS_NOBODY;
  if (spawnSync(setpriv, [...args, 'test', '-r', PROGRAM]).status === 0) found.push('somebody');
  if ((await ordinaryUser()).how === 'namespace') found.push('mapped');
  return found;
}

/** What `somebody` gets by themselves from the package archive: our own cache may be where only we may enter. Once for all tests. */
let packagesOfSomebody: Promise<string> | null = null;

async function folderOfSomebody(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'left4me-packages-'));
  await chown(folder, NOBODY, NOBODY);
  return folder;
}

/** After the last test. */
export async function forgetPackages(): Promise<void> {
  if (packagesOfSomebody) await rm(await packagesOfSomebody, { recursive: true, force: true });
  packagesOfSomebody = null;
}

/** Somebody who might run left4me, with a state folder of theirs. */
export interface Person {
  prefix: readonly string[];
  root: string;
  cache: string;
  forget: () => Promise<void>;
}

/** `ourselves`, or where we are root: `somebody` without privileges, or root the way `npm start` runs the panel, `mapped`. */
export async function person(who: Who, folder = 'state'): Promise<Person> {
  const base = await mkdtemp(join(tmpdir(), 'left4me-embedded-'));
  const forget = (): Promise<void> => rm(base, { recursive: true, force: true });
  const root = join(base, folder);
  // Where root may not use user namespaces, PostgreSQL's account has to come through to the state folder.
  await chmod(base, 0o755);
  await mkdir(dirname(root), { recursive: true });
  if (who === 'somebody') {
    await chown(base, NOBODY, NOBODY);
    packagesOfSomebody ??= folderOfSomebody();
    return { prefix: AS_NOBODY, root, cache: await packagesOfSomebody, forget };
  }
  const prefix = who === 'mapped' ? (await ordinaryUser()).prefix : [];
  return { prefix, root, cache: await cacheFolder(), forget };
}

export interface Answer {
  error?: string;
  message?: string;
  databaseUrl: string;
  redisUrl: string;
  processes: { postgres: number; redis: number };
  uid: number;
}

/** A panel in a process of its own (the built program), so that it can be killed. */
export class Panel {
  private constructor(
    readonly child: ChildProcess,
    readonly answer: Answer,
  ) {}

  static async start({ prefix, root, cache }: Person): Promise<Panel> {
    await access(BUILT).catch(() => {
      throw new Error('the built program is needed: npx nx build @left4me/api');
    });
    const [program, ...args] = [...prefix, process.execPath, PROGRAM, root, cache];
    const child = spawn(program ?? process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], cwd: '/' });
    for await (const line of createInterface({ input: child.stdout })) {
      return new Panel(child, JSON.parse(line) as Answer);
    }
    throw new Error('the panel said nothing');
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exit = once(this.child, 'exit');
    this.child.kill(signal);
    await exit;
  }

  /** Process ids of the panel's services that live. */
  async survivors(): Promise<number[]> {
    const { postgres, redis } = this.answer.processes;
    const living = await Promise.all([postgres, redis].map((pid) => identify(pid)));
    return living.flatMap((identity) => (identity ? [identity.pid] : []));
  }
}

/** Command lines of all processes that name a folder: services, lock holders and whatever else. */
export async function processesNaming(folder: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return commands.filter((command) => command.includes(folder)).map((command) => command.replaceAll('\0', ' '));
}
