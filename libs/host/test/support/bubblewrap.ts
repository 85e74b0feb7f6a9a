import { execFile } from 'node:child_process';
import { access, constants, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const INSTALLED = '/usr/bin/bwrap';

/** The path of bubblewrap: the machine's own, or the package's, unpacked into the cache of the tests. Needs no root. */
export async function bubblewrap(): Promise<string> {
  const folder = join(homedir(), '.cache', 'left4me');
  const cached = join(folder, `bubblewrap-${process.arch}`);
  for (const path of [INSTALLED, join(cached, INSTALLED)]) if (await isExecutable(path)) return path;
  await mkdir(folder, { recursive: true });
  const work = await mkdtemp(join(folder, '.new-'));
  try {
    await mkdir(join(work, 'lists', 'partial'), { recursive: true });
    const lists = ['-o', `Dir::State::lists=${work}/lists/`, '-o', `Dir::Cache=${work}/`, '-o', 'APT::Sandbox::User='];
    for (const words of [['update'], ['download', 'bubblewrap']]) {
      await run('apt-get', ['-q', ...lists, '-o', 'Debug::NoLocking=true', ...words], { cwd: work });
    }
    const archive = (await readdir(work)).find((name) => name.endsWith('.deb')) ?? '';
    await run('dpkg-deb', ['-x', join(work, archive), join(work, 'unpacked')]);
    // Whoever comes second finds it and uses it.
    await rename(join(work, 'unpacked'), cached).catch((error: unknown) => error);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return join(cached, INSTALLED);
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
