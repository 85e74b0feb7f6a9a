import { execFile } from 'node:child_process';
import {
  access,
  constants,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { basename, delimiter, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { EmbeddedError } from './embedded-error.js';

const run = promisify(execFile);

const USUAL_FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin', '/opt/bin'];

/** Never taken from a package: the C library must match the loader that the running system uses. */
const PART_OF_THE_SYSTEM = /^(libc6|libc-bin|libc-l10n|locales|base-files|dpkg|apt|debconf)_/;

export interface SystemProgramRequest {
  /** Names the program goes by, the preferred one first. */
  names: readonly string[];
  /** Debian packages to take it from. */
  packages: readonly string[];
  cacheFolder: string;
  report: (line: string) => void;
}

/**
 * The path of a program: the machine's own, or one from the system's package archive unpacked below `cacheFolder`.
 * Getting it needs no root and changes nothing about the system: apt works on lists and archives of its own, and verifies
 * signatures as always.
 */
export async function systemProgram(request: SystemProgramRequest): Promise<string> {
  const installed = await findInstalled(request.names);
  if (installed) return installed;
  const folder = join(request.cacheFolder, `${request.names[0] ?? 'program'}-${await systemName()}`);
  const wrapper = join(folder, 'run');
  if (await isExecutable(wrapper)) return wrapper;
  request.report(
    `Getting ${request.packages.join(', ')} from the system's package archive (once; nothing is installed).`,
  );
  await mkdir(request.cacheFolder, { recursive: true, mode: 0o700 });
  const work = await mkdtemp(join(request.cacheFolder, '.new-'));
  try {
    const unpacked = join(work, 'unpacked');
    for (const archive of await download(request.packages, join(work, 'apt'))) {
      await run('dpkg-deb', ['-x', archive, unpacked], { timeout: 300_000 });
    }
    await rm(join(work, 'apt'), { recursive: true, force: true });
    await writeWrapper(work, folder, request.names);
    // Whoever comes second finds a complete folder and uses that.
    await rename(work, folder).catch(async (error: unknown) => {
      if (!(await isExecutable(wrapper))) throw error;
    });
    return wrapper;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Libraries of one release do not fit another's programs, and a home folder may be shared or outlive an upgrade. */
async function systemName(): Promise<string> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const value = (name: string): string => new RegExp(`^${name}="?([\\w.-]*)`, 'm').exec(release)?.[1] ?? '';
  return `${value('ID')}${value('VERSION_ID')}-${process.arch}`;
}

async function findInstalled(names: readonly string[]): Promise<string | null> {
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter).filter((folder) => folder.startsWith('/')),
    ...USUAL_FOLDERS,
  ];
  for (const name of names) {
    for (const folder of folders) {
      if (await isExecutable(join(folder, name))) return join(folder, name);
    }
  }
  return null;
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

/** Downloads the packages and everything they depend on that the system does not have. Returns the archives' paths. */
async function download(packages: readonly string[], folder: string): Promise<string[]> {
  const archives = join(folder, 'archives');
  await mkdir(join(archives, 'partial'), { recursive: true });
  await mkdir(join(folder, 'lists', 'partial'), { recursive: true });
  const options = [
    `Dir::State::lists=${join(folder, 'lists')}/`,
    `Dir::Cache=${folder}/`,
    `Dir::Cache::archives=${archives}/`,
    'Debug::NoLocking=true',
    'APT::Sandbox::User=', // its download user could not write into our folder
    'APT::Update::Post-Invoke::=',
    'Acquire::Languages=none',
    'Acquire::Retries=3',
    'APT::Get::List-Cleanup=false',
  ].flatMap((option) => ['-o', option]);
  const apt = (args: readonly string[]): Promise<unknown> =>
    run('apt-get', ['-q', ...options, ...args], {
      timeout: 600_000,
      maxBuffer: 16 * 1024 * 1024,
      env: { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
    });
  // One source of many that fails (a vendor's, long gone) is no reason to give up, unless the package is missing for it.
  const failedUpdate: unknown = await apt(['update', '--error-on=any']).then(
    () => null,
    (error: unknown) => error,
  );
  try {
    await apt(['install', '--download-only', '--no-install-recommends', '--no-upgrade', '--yes', ...packages]);
  } catch (cause) {
    throw new EmbeddedError(explain(failedUpdate ?? cause), { cause });
  }
  const files = (await readdir(archives)).filter((file) => file.endsWith('.deb') && !PART_OF_THE_SYSTEM.test(file));
  return files.map((file) => join(archives, file));
}

function explain(cause: unknown): string {
  if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') {
    return 'there is no apt-get here to get it with';
  }
  const words = cause instanceof Error && 'stderr' in cause ? String(cause.stderr) : String(cause);
  const line = words.split('\n').find((text) => text.startsWith('E: ')) ?? words.trim().split('\n').at(-1) ?? '';
  return `the package archive could not be used: ${line.replace(/^E: /, '').slice(0, 300)}`;
}

/** A script beside the unpacked files that runs the program with the libraries, and fonts, that came along. */
async function writeWrapper(work: string, finalFolder: string, names: readonly string[]): Promise<void> {
  const unpacked = join(work, 'unpacked');
  const files = await listFiles(unpacked);
  const program = names
    .flatMap((name) => [`usr/lib/${name}/${name}`, `usr/sbin/${name}`, `usr/bin/${name}`])
    .find((path) => files.some((file) => file.path === path));
  if (program === undefined) throw new EmbeddedError(`the packages do not hold ${names.join(' or ')}`);
  const libraries = new Set(files.filter(({ path }) => isLibrary(path)).map(({ folder }) => folder));
  const at = (path: string): string => shellQuote(join(finalFolder, 'unpacked', path));
  const lines = ['#!/bin/sh'];
  if (libraries.size > 0) {
    const path = [...libraries]
      .sort((a, b) => a.length - b.length)
      .map(at)
      .join(':');
    lines.push(`export LD_LIBRARY_PATH=${path}"\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"`);
  }
  if (files.some(({ path }) => path.startsWith('usr/share/fonts/'))) {
    const fonts = ['/usr/share/fonts', join(finalFolder, 'unpacked/usr/share/fonts')];
    const xml = fonts.map((folder) => `<dir>${xmlEscape(folder)}</dir>`).join('');
    await writeFile(join(work, 'fonts.conf'), `<?xml version="1.0"?><fontconfig>${xml}</fontconfig>\n`);
    lines.push(`export FONTCONFIG_FILE=${shellQuote(join(finalFolder, 'fonts.conf'))}`);
  }
  lines.push(`exec ${at(program)} "$@"`, '');
  await writeFile(join(work, 'run'), lines.join('\n'), { mode: 0o755 });
}

function isLibrary(path: string): boolean {
  return /^(usr\/)?lib\/.*\.so(\.[0-9.]+)?$/.test(path) && basename(path).startsWith('lib');
}

async function listFiles(root: string): Promise<{ path: string; folder: string }[]> {
  const base = await realpath(root);
  const entries = await readdir(base, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => {
      const folder = relative(base, entry.parentPath);
      return { path: join(folder, entry.name), folder };
    });
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function xmlEscape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
