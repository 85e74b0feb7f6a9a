import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { JobLog } from '../src/jobs/log/job-log.js';
import { LiveGateway } from '../src/live/live.gateway.js';
import { LiveLists } from '../src/live/live-lists.js';
import { ServerLogStream } from '../src/logs/server-log-stream.js';
import { Announcements } from '../src/redis/announcements.js';
import { RedisConnections } from '../src/redis/redis.js';
import { startApp, type TestApp } from './app.js';
import { eventually } from './eventually.js';
import { LiveClient } from './live-client.js';

let panel: TestApp;
let serverId: number;
let client: LiveClient;
beforeAll(async () => {
  // The subscriptions' failures are what this is about.
  panel = await startApp({}, { logger: false });
  panel.app.get(LiveGateway, { strict: false }).againMs = 50;
  const { body: blueprint } = await panel.admin.post('/api/v1/blueprints').send({ name: 'b' }).expect(201);
  const server = { name: 'one', blueprintId: blueprint.id };
  serverId = (await panel.admin.post('/api/v1/servers').send(server).expect(201)).body.id;
  const { body: token } = await panel.admin.post('/api/v1/tokens').send({ name: 'live', scopes: ['read'] });
  client = await LiveClient.open(panel.url, { authorization: `Bearer ${token.token}` });
});
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  client.cut();
  await panel.close();
});

const rename = (from: string, to: string) => panel.database.query(`ALTER TABLE ${from} RENAME TO ${to}`);

/** Lets reading fail for more than two tries. It must be said once, and taken back when it works again. */
async function whileFailing(
  channel: string,
  reads: { mock: { calls: unknown[][] } },
  breaks: () => Promise<unknown>,
  mends: () => Promise<unknown>,
) {
  const subscribed = client.of('subscribed', channel).length;
  await breaks();
  await eventually('the failure is told', () => client.of('error', channel).length === 1);
  const tried = reads.mock.calls.length;
  await eventually('it is tried again', () => reads.mock.calls.length > tried + 2);
  expect(client.of('error', channel)).toMatchObject([{ status: 500 }]);
  expect(client.of('subscribed', channel)).toHaveLength(subscribed);
  await mends();
  await eventually('it goes on', () => client.of('subscribed', channel).length === subscribed + 1);
}

async function subscribe(channel: string): Promise<void> {
  client.subscribe(channel);
  await eventually('it is subscribed', () => client.of('subscribed', channel).length === 1);
}

describe('a subscription goes on when the panel could not read for a while:', () => {
  it('a list, with the changes from that time', async () => {
    await subscribe('servers');
    const announcements = panel.app.get(Announcements);
    await whileFailing(
      'servers',
      vi.spyOn(panel.app.get(LiveLists, { strict: false }), 'read'),
      async () => {
        await rename('servers', 'servers_away');
        announcements.publish({ topic: 'server', id: serverId });
      },
      () => rename('servers_away', 'servers'),
    );
    expect(client.of('changed', 'servers')).toMatchObject([{ item: { id: serverId, title: 'one' } }]);
    await panel.admin.patch('/api/v1/servers/one').send({ title: 'Later' }).expect(200);
    await eventually(
      'a later change is pushed',
      () => client.of('changed', 'servers').at(-1)?.item['title'] === 'Later',
    );
    expect(client.of('error', 'servers')).toHaveLength(1);
  });

  it("a job's log, without gap or duplicate", async () => {
    const { body: job } = await panel.admin
      .post(`/api/v1/servers/${serverId}/jobs`)
      .send({ operation: 'initialize' })
      .expect(202);
    const look = (seq: number) => panel.app.get(Announcements).publish({ topic: 'job-log', id: job.id, seq });
    const write = async (table: string, seq: number): Promise<void> => {
      await panel.database.query(
        `INSERT INTO ${table} (job_id, seq, stream, line, at) VALUES ($1, $2, 'stdout', 'line', now())`,
        [job.id, seq],
      );
      look(seq);
    };
    const channel = `job:${job.id}`;
    await write('job_log', 1);
    await write('job_log', 2);
    await subscribe(channel);
    await eventually('the first lines', () => client.items(channel).length === 2);
    await whileFailing(
      channel,
      vi.spyOn(panel.app.get(JobLog, { strict: false }), 'read'),
      async () => {
        await rename('job_log', 'job_log_away');
        look(3);
      },
      async () => {
        await write('job_log_away', 3);
        await rename('job_log_away', 'job_log');
      },
    );
    await write('job_log', 4);
    await eventually('later lines', () => client.items(channel).length >= 4);
    expect(client.items(channel).map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  });

  it("a server's log, without gap or duplicate", async () => {
    const stream = panel.app.get(ServerLogStream);
    const { commands, prefix } = panel.app.get(RedisConnections);
    const [key, away] = [`${prefix}:server-log:${serverId}`, `${prefix}:away`];
    const line = { stream: 'stdout', line: 'line', at: new Date(0).toISOString() } as const;
    const channel = `server:${serverId}:log`;
    await stream.append(serverId, [{ position: '1-1', ...line }], true);
    await subscribe(channel);
    await eventually('the first line', () => client.items(channel).length === 1);
    await whileFailing(
      channel,
      vi.spyOn(stream, 'read'),
      async () => {
        await commands.rename(key, away);
        await commands.set(key, 'no stream');
        panel.app.get(Announcements).publish({ topic: 'server-log', id: serverId });
      },
      async () => {
        await commands.xadd(away, '1-2', 'l', JSON.stringify(['stdout', 'line', line.at]));
        await commands.rename(away, key);
      },
    );
    await stream.append(serverId, [{ position: '1-3', ...line }], false);
    await eventually('later lines', () => client.items(channel).length >= 3);
    expect(client.items(channel).map(({ position }) => position)).toEqual(['1-1', '1-2', '1-3']);
  });
});
