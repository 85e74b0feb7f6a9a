import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Instance } from './instance.js';
import { RealPanel } from './real-panel.js';

const WORKING = '#!/bin/sh\nexec ./bin/demo-node --max-old-space-size=48 ./bin/srcds.mjs "$@"\n';

let panel: RealPanel;
beforeAll(async () => {
  panel = await RealPanel.make();
});
afterAll(() => panel.close());

describe('a server whose blueprint and overlay change while it runs', () => {
  const MOTD = 'left4dead2/motd.txt';
  const CFG = 'left4dead2/cfg/server.cfg';
  const CHANGES = ['server.cfg has changed', 'overlay welcome: revision 1 → 2'];
  let overlay: number;
  let blueprint: number;
  let instance: Instance;
  const pending = async () => (await panel.get('changing')).pendingChanges;
  const configure = (config: string) =>
    panel.admin.patch(`/api/v1/blueprints/${blueprint}`).send({ config }).expect(200);
  /** What the server sees in its own mount, what it believes, and which process it is. */
  const seen = async () => ({
    motd: await readFile(await instance.inside(MOTD), 'utf8'),
    tags: await instance.rcon('sv_tags'),
    cfg: await readFile(await instance.inside(CFG), 'utf8'),
    pids: await instance.pids(),
  });

  beforeAll(async () => {
    overlay = await panel.overlay('welcome', { [MOTD]: 'welcome, one' });
    blueprint = await panel.blueprint('changing', [overlay], { config: 'sv_tags "before"' });
    const { name, port } = await panel.server('changing', blueprint);
    instance = new Instance(panel.root, name, port);
    await panel.startServer(name);
  });

  it('sees none of it, also when it is initialized, until it is restarted; pendingChanges says what will change', async () => {
    const before = await seen();
    expect(before).toMatchObject({ motd: 'welcome, one', tags: '"sv_tags" = "before"\n' });
    expect(await pending()).toEqual([]);

    await configure('sv_tags "after"');
    await panel.edit(overlay, { [MOTD]: 'welcome, two' });
    expect(await pending()).toEqual(CHANGES.slice(0, 1));
    expect(await panel.build(overlay)).toMatchObject({ state: 'succeeded' });
    expect(await pending()).toEqual(CHANGES);

    expect(await panel.do('changing', 'initialize')).toMatchObject({ state: 'succeeded', exitCode: 0 });
    expect(await seen()).toEqual(before);
    expect(await pending()).toEqual(CHANGES);
    expect(await panel.do('changing', 'start')).toMatchObject({ state: 'succeeded', exitCode: 0 });
    expect(await seen()).toEqual(before);

    expect(await panel.do('changing', 'restart')).toMatchObject({ state: 'succeeded', exitCode: 0 });
    await panel.reaches('changing', { ready: true });
    const after = await seen();
    expect(after).toMatchObject({ motd: 'welcome, two', tags: '"sv_tags" = "after"\n' });
    expect(after.cfg).toBe(before.cfg.replace('before', 'after'));
    expect(after.pids.server).not.toBe(before.pids.server);
    expect(await pending()).toEqual([]);
  });

  it('sees what changed while it was stopped after its next start', async () => {
    expect(await panel.do('changing', 'stop')).toMatchObject({ state: 'succeeded' });
    await panel.reaches('changing', { actualState: 'stopped', desiredState: 'stopped', ready: false });
    await configure('sv_tags "third"');
    await panel.admin.patch('/api/v1/servers/changing').send({ title: 'A New Title' }).expect(200);
    expect(await pending()).toEqual(['title: changing → A New Title', 'server.cfg has changed']);
    await panel.startServer('changing');
    expect((await seen()).tags).toBe('"sv_tags" = "third"\n');
    expect(await instance.rcon('hostname')).toBe('"hostname" = "A New Title"\n');
    expect(await pending()).toEqual([]);
  });
});

describe.each([
  ['at once', 'exit 7'],
  ['after a moment, as one whose port is taken', 'sleep 0.3; exit 7'],
])('a server whose program ends %s', (when, end) => {
  it('fails its start with the code; once the overlay is repaired it starts and the error is cleared', async () => {
    const name = `broken-${when.length}`;
    const broken = `#!/bin/sh\necho "there is no such map" >&2\n${end}\n`;
    const overlay = await panel.overlay(name, { srcds_run: broken });
    await panel.server(name, await panel.blueprint(name, [overlay]));
    const failed = await panel.do(name, 'start');
    expect(failed).toMatchObject({ state: 'failed', exitCode: 7 });
    expect(failed.error).toContain('there is no such map');
    expect((await panel.jobLog(failed.id)).at(-1)).toMatchObject({ stream: 'stderr', line: failed.error });
    expect(await panel.get(name)).toMatchObject({
      actualState: 'failed',
      desiredState: 'running',
      ready: false,
      lastError: `start failed: ${failed.error}`,
    });

    await panel.edit(overlay, { srcds_run: WORKING });
    expect(await panel.build(overlay)).toMatchObject({ state: 'succeeded' });
    expect(await panel.startServer(name)).toMatchObject({ lastError: null, actualState: 'running' });
  });
});
