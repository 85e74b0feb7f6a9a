import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { tarOf, zipOf } from './support/archives.js';
import { makeRoot, writeTree } from './support/fixture.js';
import { openScripts, PUBLIC, type Respond, type Scripts, smallInternet } from './support/scripts.js';
import { vpk } from './support/stand-in-workshop.js';

const MIRROR = 'http://mirror.example';
const CHANGED = 'Sat, 21 Nov 2026 12:00:00 GMT';

/** What the mirror has, by path. */
let files: Map<string, Buffer>;
let asked: string[];
let scripts: Scripts;
beforeEach(async () => {
  files = new Map();
  const serve: Respond = (request, response) => {
    const file = files.get(request.url?.replace(/\?.*/, '') ?? '');
    if (file === undefined) response.writeHead(404).end();
    else if (request.headers['if-modified-since'] === CHANGED) response.writeHead(304).end();
    else response.setHeader('Last-Modified', CHANGED).end(file);
  };
  const internet = await smallInternet({ 'mirror.example': [PUBLIC] }, serve);
  ({ asked } = internet);
  scripts = await openScripts({}, internet);
});

/** An example, with these variables set as its user would write them. */
async function example(name: string, variables: Record<string, string>): Promise<string> {
  let script = await readFile(new URL(`../../../examples/script-overlays/${name}.sh`, import.meta.url), 'utf8');
  for (const [variable, value] of Object.entries(variables)) {
    expect(script).toMatch(new RegExp(`^${variable}=`, 'm'));
    script = script.replace(new RegExp(`^${variable}=.*$`, 'm'), `${variable}='${value}'`);
  }
  return script;
}

const made = async (): Promise<string[]> => (await readdir(join(scripts.root, 'builds/7'), { recursive: true })).sort();
const madeFile = (path: string): Promise<string> => readFile(join(scripts.root, 'builds/7', path), 'utf8');
const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

describe('the example that installs MetaMod and SourceMod', () => {
  const metamod = gzipSync(tarOf([{ name: 'addons/metamod/bin/server.so', content: 'loader' }]));
  const sourcemod = gzipSync(tarOf([{ name: 'addons/sourcemod/bin/sourcemod_mm.so', content: 'platform' }]));
  const variables = {
    metamod: `${MIRROR}/mm.tar.gz`,
    metamod_sha256: sha256(metamod),
    sourcemod: `${MIRROR}/sm.tar.gz`,
    sourcemod_sha256: sha256(sourcemod),
  };
  beforeEach(() => {
    files.set('/mm.tar.gz', metamod);
    files.set('/sm.tar.gz', sourcemod);
  });

  it('names both by checksum', async () => {
    const script = await example('metamod-sourcemod', {});
    expect(script.match(/^\w+_sha256=[0-9a-f]{64}$/gm)).toHaveLength(2);
  });

  it('unpacks both, and downloads nothing for its next build', async () => {
    const script = await example('metamod-sourcemod', variables);
    await scripts.run(script);
    await scripts.run(script);
    expect(asked).toEqual(['GET mirror.example /mm.tar.gz', 'GET mirror.example /sm.tar.gz']);
    expect(await madeFile('left4dead2/addons/metamod/bin/server.so')).toBe('loader');
    expect(await madeFile('left4dead2/addons/sourcemod/bin/sourcemod_mm.so')).toBe('platform');
    expect(await madeFile('left4dead2/addons/metamod.vdf')).toContain('../left4dead2/addons/metamod/bin/server');
  });

  it('stops at another file under that name, says its checksum, and asks again in its next build', async () => {
    const other = gzipSync(tarOf([{ name: 'addons/metamod/bin/server.so', content: 'something else' }]));
    files.set('/mm.tar.gz', other);
    const script = await example('metamod-sourcemod', variables);
    await expect(scripts.run(script)).rejects.toMatchObject({
      message: `mm.tar.gz has the checksum ${sha256(other)}, and this script names ${sha256(metamod)} (the script ended with code 1)`,
    });
    files.set('/mm.tar.gz', metamod);
    await scripts.run(script);
    expect(await made()).toContain('left4dead2/addons/metamod/bin/server.so');
  });
});

describe('the example that takes a campaign from an address', () => {
  it('says what is to be written into it', async () => {
    await expect(scripts.run(await example('campaign-from-url', {}))).rejects.toMatchObject({
      message: expect.stringContaining('Write the address of a .vpk or .zip into the script first'),
    });
  });

  it('takes a VPK, and downloads it again only when it has changed', async () => {
    const campaign = vpk('campaign');
    files.set('/maps/dead%20line.vpk', campaign);
    const script = await example('campaign-from-url', { campaign: `${MIRROR}/maps/dead%20line.vpk?download=1` });
    const size = `dead%20line.vpk: ${campaign.length} bytes`;
    expect(await scripts.run(script)).toEqual([size]);
    files.set('/maps/dead%20line.vpk', Buffer.from('never sent, since the date is the same'));
    expect(await scripts.run(script)).toEqual([size]);
    expect(asked).toHaveLength(2);
  });

  it('takes the VPKs of a zip, where unzip is installed, and says so where it is not', async () => {
    files.set('/pack.zip', zipOf([{ name: 'deep/in/one.vpk', content: vpk('one') }, { name: 'readme.txt' }]));
    const script = await example('campaign-from-url', { campaign: `${MIRROR}/pack.zip` });
    const outcome = await scripts.run(script).then(made, String);
    const taken = ['left4dead2', 'left4dead2/addons', 'left4dead2/addons/one.vpk'];
    const refused = expect.stringContaining('apt-get install unzip');
    expect(outcome).toEqual(existsSync('/usr/bin/unzip') ? taken : refused);
  });

  it('refuses what is no VPK', async () => {
    files.set('/page.vpk', Buffer.from('<html>Log in first</html>'));
    const script = await example('campaign-from-url', { campaign: `${MIRROR}/page.vpk` });
    await expect(scripts.run(script)).rejects.toMatchObject({
      message: 'page.vpk is not a VPK (the script ended with code 1)',
    });
  });
});

describe('the example that takes plugins from git', () => {
  it('takes the folder of the game at one commit, and fetches a later one', async () => {
    const repository = await makeRoot();
    const git = (...args: string[]): string =>
      execFileSync('git', ['-C', repository, '-c', 'user.name=zoey', '-c', 'user.email=zoey@example.com', ...args], {
        encoding: 'utf8',
      }).trim();
    const commit = async (content: string): Promise<string> => {
      await writeTree(repository, { 'left4dead2/cfg/plugins.cfg': content, 'README.md': 'not of the game' });
      git('add', '.');
      git('commit', '--quiet', '--message', content);
      git('update-server-info');
      for (const name of await readdir(join(repository, '.git'), { recursive: true, withFileTypes: true })) {
        if (!name.isFile()) continue;
        const path = join(name.parentPath, name.name);
        files.set(`/plugins.git/${path.slice(join(repository, '.git/').length)}`, await readFile(path));
      }
      return git('rev-parse', 'HEAD');
    };
    git('init', '--quiet', '--initial-branch=main');
    const place = `${MIRROR}/plugins.git`;
    const first = await commit('first');
    expect(await scripts.run(await example('plugins-from-git', { repository: place, commit: first }))).toEqual([
      expect.stringMatching(/^[0-9a-f]{7,} of \d{4}-\d\d-\d\d: first$/),
    ]);
    expect(await made()).toEqual(['left4dead2', 'left4dead2/cfg', 'left4dead2/cfg/plugins.cfg']);
    const second = await commit('second');
    await scripts.run(await example('plugins-from-git', { repository: place, commit: second }));
    expect(await madeFile('left4dead2/cfg/plugins.cfg')).toBe('second');
  });
});
