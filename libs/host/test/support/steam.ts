import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host, HostOptions, Run } from '../../src/index.js';
import { setUp } from '../stand-in-steamcmd/set-up.mjs';
import { makeRoot, openQuickHost } from './fixture.js';

/** Written in test/stand-in-steamcmd/README.md. */
export interface Behaviour {
  build?: string;
  bytes?: number;
  mode?: string;
  code?: string;
  steps?: number;
  stepMs?: number;
  appInfo?: 'late' | 'never' | 'hang';
  client?: number;
  exitCode?: number;
}

/** What one operation reported. */
export interface Report {
  run: Run;
  lines: string[];
  progress: { percent: number | null; text: string }[];
}

/** A host whose steamcmd is the stand-in, in a folder of its own. */
export class SteamHost {
  readonly program: string;

  private constructor(
    readonly root: string,
    readonly steam: string,
    readonly host: Host,
  ) {
    this.program = join(steam, 'steamcmd.sh');
  }

  static async open(behaviour: Behaviour = {}, options: Partial<HostOptions> = {}): Promise<SteamHost> {
    const top = await makeRoot();
    const [root, steam] = [join(top, 'state'), join(top, 'steamcmd')];
    await mkdir(root);
    setUp(steam, behaviour);
    const steamcmd = join(steam, 'steamcmd.sh');
    const host = await openQuickHost({ root, serviceManager: 'process', steamcmd, ...options });
    return new SteamHost(root, steam, host);
  }

  set(behaviour: Behaviour): void {
    setUp(this.steam, behaviour);
  }

  /** Installs, and returns what was reported. */
  async install(build?: string): Promise<Report> {
    const report = reporting();
    await this.host.install(build === undefined ? {} : { build }, report.run);
    return report;
  }

  path(...parts: string[]): string {
    return join(this.root, 'installation', ...parts);
  }

  /** The builds that have a folder, and what the link says. */
  async onDisk(): Promise<{ current: string | null; folders: string[]; others: string[] }> {
    const entries = await readdir(this.path(), { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
    const others = entries.filter((entry) => entry.name.startsWith('.'));
    return {
      current: await readlink(this.path('current')).catch(() => null),
      folders: folders.map(({ name }) => name).sort(),
      others: others.map(({ name }) => name),
    };
  }
}

export function reporting(signal = new AbortController().signal): Report {
  const lines: string[] = [];
  const progress: Report['progress'] = [];
  const output: Run['output'] = {
    write: async (_stream, line) => void lines.push(line),
    progress: (percent, text = '') => void progress.push({ percent, text }),
  };
  return { run: { signal, output }, lines, progress };
}

/** SHA-256 of every file of a tree, by path. */
export async function hashesOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const hashes = files.sort().map(async (file) => {
    const hash = createHash('sha256').update(await readFile(file));
    return [file.slice(folder.length + 1), hash.digest('hex')] as const;
  });
  return Object.fromEntries(await Promise.all(hashes));
}
