import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { ServerLogStream } from '../src/logs/server-log-stream.js';
import { eventually } from './eventually.js';
import { type QueuePanel, startQueue } from './queue-panel.js';

let panel: QueuePanel;
let stream: ServerLogStream;
beforeAll(async () => {
  panel = await startQueue();
  stream = panel.app.get(ServerLogStream);
});
afterAll(() => panel.close());

const line = (position: string) =>
  ({ position, stream: 'stdout', line: position, at: new Date(0).toISOString() }) as const;

async function shown(id: number): Promise<string[]> {
  return (await stream.read(id, {})).items.map(({ position }) => position);
}

it('the log of a server goes with the host that it leaves', async () => {
  const id = await panel.server('moves');
  const [{ id: hostId }] = await panel.database.query<[{ id: number }]>(
    `INSERT INTO hosts (name) VALUES ('other') RETURNING id`,
  );
  await stream.append(id, [line('2000-7')], true);
  await panel.admin.patch('/api/v1/servers/moves').send({ title: 'It moves' }).expect(200);
  expect(await shown(id)).toEqual(['2000-7']);
  await panel.admin.patch('/api/v1/servers/moves').send({ hostId }).expect(200);
  await eventually('the log is gone', async () => (await shown(id)).length === 0);
});

it('the log of a host with smaller positions takes the place of what another one left in Redis', async () => {
  const id = await panel.server('came');
  await stream.append(id, [line('2000-7')], true);
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  const followed: string[] = [];
  const following = (async () => {
    for await (const { items } of stream.follow(id, {}, abort.signal))
      followed.push(...items.map((item) => item.position));
  })();
  await eventually('it is followed', () => followed.length === 1);
  panel.host.lines.set('came', [line('1000-1'), line('1000-2')]);
  await panel.ended((await panel.queue('came', 'initialize')).id);
  await eventually('the log is that of the host', async () => (await shown(id)).join() === '1000-1,1000-2');
  await eventually('who follows it sees it, too', () => followed.length === 3);
  expect(followed).toEqual(['2000-7', '1000-1', '1000-2']);
  abort.abort();
  await following;
});

it('lines that Redis refuses all at once are warned of', async () => {
  const id = await panel.server('refused');
  const warn = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  onTestFinished(() => warn.mockRestore());
  await stream.append(id, [line('2000-7')], true);
  await stream.append(id, [line('2000-7'), line('2000-8')], false); // fed twice
  const ofLines = expect.stringContaining('lines of server');
  expect(warn).not.toHaveBeenCalledWith(ofLines);
  await stream.append(id, [line('1000-1')], false);
  expect(warn).toHaveBeenCalledWith(expect.stringContaining('1 lines of server'));
});
