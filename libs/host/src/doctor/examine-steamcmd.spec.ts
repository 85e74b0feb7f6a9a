import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { examineSteamcmd, type Places } from './examine-steamcmd.js';

const WITH_BOTH =
  'libstdc++.so.6 (libc6) => /usr/lib32/libstdc++.so.6\n\tlibgcc_s.so.1 (libc6) => /usr/lib32/libgcc_s.so.1';
const ONLY_64_BITS =
  'libstdc++.so.6 (libc6,x86-64) => /lib/x86_64-linux-gnu/libstdc++.so.6\n\tlibgcc_s.so.1 (libc6) => /usr/lib32/libgcc_s.so.1';

describe('left4me doctor, of steamcmd', () => {
  let root: string;
  let program: string;
  let places: Places;

  const script = (path: string, text: string) => writeFile(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  const knows = (libraries: string) => script(places.ldconfig, `cat <<'END'\n\t${libraries}\nEND`);
  const findings = async () =>
    Object.fromEntries((await examineSteamcmd(root, program, places)).map((finding) => [finding.about, finding]));

  /** A machine on which all is well. */
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'left4me-doctor-'));
    onTestFinished(() => rm(root, { recursive: true }));
    program = join(root, 'steamcmd', 'steamcmd.sh');
    places = { loader: join(root, 'ld-linux.so.2'), ldconfig: join(root, 'ldconfig'), script: join(root, 'script') };
    await mkdir(join(root, 'steamcmd', 'linux32'), { recursive: true });
    await writeFile(join(root, 'steamcmd', 'linux32', 'steamclient.so'), 'client');
    for (const path of [program, places.loader, places.script]) await script(path, '');
    await knows(WITH_BOTH);
    await mkdir(join(root, 'cache', 'steam', '.steam', 'sdk32'), { recursive: true });
    await symlink(
      join(root, 'steamcmd', 'linux32', 'steamclient.so'),
      join(root, 'cache', 'steam', '.steam', 'sdk32', 'steamclient.so'),
    );
  });

  it('finds nothing where all is well', async () => {
    expect(Object.values(await findings()).map(({ about, state }) => [about, state])).toEqual([
      ['32-bit libraries', 'good'],
      ['steamcmd', 'good'],
      ['steamclient.so', 'good'],
    ]);
  });

  it('names a program that is missing, and nothing that comes of it', async () => {
    await rm(program);
    expect(await findings()).toEqual({
      steamcmd: {
        state: 'bad',
        about: 'steamcmd',
        found: `${program} cannot be executed`,
        mend: expect.stringContaining('LEFT4ME_STEAMCMD (in /etc/left4me/host.env'),
      },
    });
  });

  it('names the packages of what 32-bit programs lack', async () => {
    await knows(ONLY_64_BITS);
    expect((await findings())['32-bit libraries']).toEqual({
      state: 'bad',
      about: '32-bit libraries',
      found: '32-bit libstdc++.so.6 missing: the game cannot run',
      mend: 'apt-get install lib32stdc++6',
    });
    await rm(places.loader);
    expect((await findings())['32-bit libraries']).toMatchObject({
      state: 'bad',
      found: `32-bit programs cannot run: ${places.loader} is missing`,
      mend: expect.stringContaining('libc6:i386'),
    });
  });

  it('says when what is there cannot be told', async () => {
    await script(places.ldconfig, 'echo "the cache is broken" >&2; exit 1');
    expect((await findings())['32-bit libraries']).toMatchObject({
      state: 'warning',
      found: 'whether they are there is unknown: the cache is broken',
    });
  });

  it('names a missing script', async () => {
    await rm(places.script);
    expect((await findings())['steamcmd']).toMatchObject({ state: 'bad', mend: 'install the package bsdutils' });
  });

  it('names a missing steamclient.so, and a missing or wrong link to it', async () => {
    const link = join(root, 'cache', 'steam', '.steam', 'sdk32', 'steamclient.so');
    const found = async () => (await findings())['steamclient.so'];
    await rm(link);
    expect(await found()).toMatchObject({ state: 'warning', found: expect.stringContaining('no link') });
    await symlink('/nowhere', link);
    expect(await found()).toMatchObject({ state: 'warning', found: expect.stringContaining('no link') });
    await rm(join(root, 'steamcmd', 'linux32', 'steamclient.so'));
    expect(await found()).toMatchObject({ state: 'warning', found: expect.stringContaining('not beside steamcmd') });
  });
});
