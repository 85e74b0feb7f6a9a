import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bounded } from '../src/archive/bounded.js';
import { ARCHIVE_LIMITS, type ArchiveLimits, unpack } from '../src/archive/unpack.js';
import { tarOf, type TestEntry, zipOf } from './support/archives.js';

let folder: string;
let target: string;
let archive: string;
const never = new AbortController().signal;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'left4me-unpack-'));
  target = join(folder, 'target');
  archive = join(folder, 'archive');
  await mkdir(target);
});
afterEach(() => rm(folder, { recursive: true }));

async function unpacked(bytes: Buffer, limits: Partial<ArchiveLimits> = {}, signal: AbortSignal = never) {
  await writeFile(archive, bytes);
  return unpack(archive, target, { ...ARCHIVE_LIMITS, reserveBytes: 0, ...limits }, signal);
}

async function contents(): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(target, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) found[path.slice(target.length + 1)] = await readFile(path, 'utf8');
  }
  return found;
}

const LONG = `${'very long folder/'.repeat(40)}ñame.txt`;
const ODD = { 'a b/ünïcode – ✓.txt': 'odd', 'a b/Case': 'one', 'a b/case': 'two', [LONG]: 'deep', 'back\\slash': 'b' };

function installed(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore', input: '' });
    return true;
  } catch {
    return false;
  }
}

describe('an archive made by tar', () => {
  it.for([
    ['gnu', []],
    ['pax', []],
    ['gnu', ['--gzip']],
    ['pax', ['--bzip2']],
    ['gnu', ['--xz']],
    ['pax', ['--zstd']],
  ] as const)('in the format %s %j is unpacked with all its odd names', async ([format, options], { skip }) => {
    const program = options[0]?.slice(2);
    if (program !== undefined) skip(!installed(program), `${program} is not installed`);
    const source = join(folder, 'source');
    for (const [path, content] of Object.entries(ODD)) {
      await mkdir(join(source, path, '..'), { recursive: true });
      await writeFile(join(source, path), content, { mode: path.endsWith('Case') ? 0o755 : 0o600 });
    }
    await mkdir(join(source, 'empty'));
    execFileSync('tar', ['--create', `--format=${format}`, ...options, '--file', archive, '--directory', source, '.']);
    const { files, bytes, leftOut } = await unpacked(await readFile(archive));
    expect({ files, bytes, leftOut }).toEqual({ files: 5, bytes: 14, leftOut: { count: 0, first: [] } });
    expect(await contents()).toEqual(ODD);
    expect((await stat(join(target, 'empty'))).isDirectory()).toBe(true);
    expect((await stat(join(target, 'a b/Case'))).mode & 0o777).toBe(0o755);
    expect((await stat(join(target, 'a b/case'))).mode & 0o777).toBe(0o644);
  });

  it('leaves out links and pipes, and names them', async () => {
    const source = join(folder, 'source');
    await mkdir(source);
    await writeFile(join(source, 'file'), 'x');
    await symlink('/etc/passwd', join(source, 'link'));
    execFileSync('ln', [join(source, 'file'), join(source, 'hard')]);
    execFileSync('mkfifo', [join(source, 'pipe')]);
    execFileSync('tar', ['--create', '--file', archive, '--directory', source, 'file', 'hard', 'link', 'pipe']);
    const { files, leftOut } = await unpacked(await readFile(archive));
    expect({ files, leftOut }).toEqual({ files: 1, leftOut: { count: 3, first: ['hard', 'link', 'pipe'] } });
    expect(await readdir(target)).toEqual(['file']);
  });
});

it('a zip is unpacked, one with backslashes too, without its links', async () => {
  const entries = Object.entries(ODD).map(([name, content]) => ({ name: name.replaceAll('\\', '+'), content }));
  const { files, leftOut } = await unpacked(
    zipOf([
      ...entries,
      { name: 'from\\windows\\a.cfg', content: 'w', mode: 0 },
      { name: 'empty/', mode: 0o40755 },
      { name: 'run.sh', content: '#!', mode: 0o100755 },
      { name: 'link', content: '/etc/passwd', mode: 0o120777 },
    ]),
  );
  expect({ files, leftOut }).toEqual({ files: 7, leftOut: { count: 1, first: ['link'] } });
  expect(await contents()).toMatchObject({ 'from/windows/a.cfg': 'w', [LONG]: 'deep', 'a b/Case': 'one' });
  expect(await readdir(target)).toContain('empty');
  expect((await stat(join(target, 'run.sh'))).mode & 0o777).toBe(0o755);
});

const tooManyFolders = Array.from({ length: 30 }, (_, n) => ({ name: `${n}/a/b/c/d/e/f`, content: '' }));

describe.each<[string, (entries: readonly TestEntry[]) => Buffer]>([
  ['tar', (entries) => tarOf(entries)],
  ['tar.gz', (entries) => gzipSync(tarOf(entries))],
  ['zip', (entries) => zipOf(entries)],
])('a hostile %s', (_kind, pack) => {
  it.each<[string, TestEntry[], RegExp]>([
    ['a path that climbs out', [{ name: '../evil', content: 'x' }], /"\.\.\/evil".*"\.\."/],
    ['a path that climbs out in its middle', [{ name: 'a/../../evil', content: 'x' }], /"\.\."/],
    ['an absolute path', [{ name: '/etc/evil', content: 'x' }], /relative/],
    ['a control character', [{ name: 'a\nb', content: 'x' }], /control characters/],
    ['a name that is not UTF-8', [{ name: Buffer.from('caf\xe9', 'latin1'), content: 'x' }], /not UTF-8/],
    [
      'one name for a file and a folder',
      [
        { name: 'a', content: 'x' },
        { name: 'a/b', content: 'y' },
      ],
      /both/,
    ],
    [
      'one name for a folder and a file',
      [
        { name: 'a/b', content: 'x' },
        { name: 'a', content: 'y' },
      ],
      /both/,
    ],
    ['more files and implied folders than allowed', tooManyFolders, /more than 100 files and folders/],
    ['a file over its limit', [{ name: 'big', content: 'x'.repeat(6_000) }], /"big" .* larger than 5000/],
    [
      'more than allowed in all',
      Array.from({ length: 5 }, (_, n) => ({ name: `f${n}`, content: 'x'.repeat(4_900) })),
      /more than 20000/,
    ],
  ])('with %s is refused, and nothing is outside', async (_what, entries, message) => {
    const limits = { entries: 100, fileBytes: 5_000, totalBytes: 20_000 };
    await expect(unpacked(pack(entries), limits)).rejects.toMatchObject({
      code: 'archive-refused',
      message: expect.stringMatching(message),
    });
    expect((await readdir(folder)).sort()).toEqual(['archive', 'target']);
  });

  it('that was cut off is refused', async () => {
    const whole = pack([
      { name: 'a', content: 'x'.repeat(5_000) },
      { name: 'b', content: 'y'.repeat(5_000) },
    ]);
    await expect(unpacked(whole.subarray(0, whole.length * 0.6))).rejects.toMatchObject({ code: 'archive-refused' });
  });
});

it('a tar without its end is refused: nobody knows what is missing', async () => {
  await expect(unpacked(tarOf([{ name: 'a', content: 'x' }], Buffer.alloc(0)))).rejects.toThrow('cut off');
});

it.each([
  ['zip', () => zipOf([{ name: 'bomb', content: Buffer.alloc(4_000_000) }])],
  ['tar.gz', () => gzipSync(tarOf([{ name: 'bomb', content: Buffer.alloc(4_000_000) }]))],
])('a %s that unpacks to far more than its size is stopped early', async (_kind, make) => {
  const limits = { ratio: 100, ratioFromBytes: 1_000_000 };
  await expect(unpacked(make(), limits)).rejects.toThrow('more than 100 times its size');
  expect((await stat(join(target, 'bomb'))).size).toBeLessThan(1_200_000);
});

it('a header of a tar that claims gigabytes is refused before it is read', async () => {
  for (const type of ['L', 'x', 'g']) {
    const forged = tarOf([{ name: 'long', type, content: 'x'.repeat(2_000), size: 4_000_000_000 }]);
    await expect(unpacked(forged)).rejects.toThrow('a header of the tar is longer than');
  }
});

it('what a tar holds beside its files is bounded as well: bodies that are left out, and headers in a row', async () => {
  const limits = { entries: 10, totalBytes: 20_000 };
  const body = Buffer.alloc(4_000_000);
  await expect(unpacked(gzipSync(tarOf([{ name: 'label', type: 'V', content: body }])), limits)).rejects.toThrow(
    'the archive unpacks to more than 20000 bytes',
  );
  const headers = Array.from({ length: 100 }, () => ({ name: 'h', type: 'x', content: '6 a=b\n' }));
  await expect(unpacked(tarOf(headers), limits)).rejects.toThrow('too many headers for one entry');
});

it('what is decompressed for nobody ends with its signal', async () => {
  const stop = new AbortController();
  let read = 0;
  async function* endless(): AsyncGenerator<Buffer> {
    for (; read < 1_000; read++) {
      if (read === 3) stop.abort();
      yield Buffer.alloc(1);
    }
  }
  const reading = (async () => {
    for await (const _chunk of bounded(endless(), 1, ARCHIVE_LIMITS, stop.signal));
  })();
  await expect(reading).rejects.toThrow('aborted');
  expect(read).toBe(3);
});

it('a zip with a wrong checksum, a password or forged sizes is refused', async () => {
  const bytes = zipOf([{ name: 'a', content: 'hello, hello, hello' }]);
  const wrong = Buffer.from(bytes);
  wrong.writeUInt32LE(1, bytes.indexOf('PK\x01\x02', 0, 'latin1') + 16);
  await expect(unpacked(wrong)).rejects.toThrow('a checksum in the zip is wrong');
  await expect(unpacked(zipOf([{ name: 'a', content: 'x' }], 0x801))).rejects.toThrow('encrypted');
  const forged = zipOf([{ name: 'a', content: 'x'.repeat(1_000), size: 5 }]);
  await expect(unpacked(forged)).rejects.toMatchObject({ code: 'archive-refused' });
});

it('what is no archive is refused', async () => {
  await expect(unpacked(Buffer.from('just a text'))).rejects.toThrow('no zip and no tar');
  await expect(unpacked(gzipSync('just a text'))).rejects.toMatchObject({ code: 'archive-refused' });
  await expect(unpacked(Buffer.alloc(0))).rejects.toThrow('no zip and no tar');
});

it('a later entry of the same path replaces the earlier one', async () => {
  const { files } = await unpacked(
    tarOf([
      { name: 'a', content: 'first, longer' },
      { name: 'a', content: 'second' },
    ]),
  );
  expect(files).toBe(1);
  expect(await contents()).toEqual({ a: 'second' });
});

it('unpacking stops when it is interrupted, when its time is up, and before the disk is full', async () => {
  const bytes = gzipSync(tarOf([{ name: 'a', content: 'x' }]));
  await expect(unpacked(bytes, {}, AbortSignal.abort())).rejects.toMatchObject({ code: 'interrupted' });
  await expect(unpacked(bytes, { timeMs: 0 })).rejects.toMatchObject({ code: 'timed-out' });
  await expect(unpacked(bytes, { reserveBytes: 2 ** 60 })).rejects.toMatchObject({ code: 'disk-full' });
});
