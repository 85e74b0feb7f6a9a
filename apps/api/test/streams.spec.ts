import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LogItem } from '../src/jobs/log/job-lines.js';
import type { ServerView } from '../src/servers/server.dto.js';
import { eventually } from './eventually.js';
import { HOLDABLE, holdInstalls } from './held-install.js';
import { Instance, TICKING, ticksOf } from './instance.js';
import { type Item, LiveClient } from './live-client.js';
import { LogFollower } from './log-follower.js';
import { RealPanel } from './real-panel.js';

const NDJSON = { Accept: 'application/x-ndjson' };
const SSE = { Accept: 'text/event-stream' };

let panel: RealPanel;
let server: ServerView;
let instance: Instance;

beforeAll(async () => {
  panel = await RealPanel.make(HOLDABLE);
  const blueprint = await panel.blueprint('ticking', [await panel.overlay('ticking', { srcds_run: TICKING })]);
  server = await panel.server('one', blueprint);
  instance = new Instance(panel.root, server.name, server.port);
  await panel.startServer('one');
});
afterAll(() => panel.close());

const follow = (path: string, headers: Record<string, string> = {}) =>
  LogFollower.open(`${panel.url}/api/v1/${path}`, panel.cookie, headers);
const live = (headers: Record<string, string> = {}) => LiveClient.open(panel.url, { cookie: panel.cookie, ...headers });
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const contiguous = (ticks: number[]) => expect(ticks).toEqual(range(ticks[0] ?? 0, ticks.at(-1) ?? 0));

/** Server-sent events, as a browser's EventSource would read them (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
function events(text: string): { id: string | null; event: string; data: string }[] {
  return text
    .split('\n\n')
    .slice(0, -1)
    .flatMap((block) => {
      const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, 'm').exec(block)?.[1] ?? null;
      const data = field('data');
      return data === null ? [] : [{ id: field('id'), event: field('event') ?? 'message', data }];
    });
}

describe.concurrent("a running job's log", () => {
  let id: number;
  let goOn: () => Promise<void>;
  beforeAll(async () => {
    goOn = await holdInstalls(panel.root);
    ({ id } = await panel.install('other'));
  });
  afterAll(() => goOn());

  /** The tests below. */
  const READERS = 4;
  let done = 0;
  /** The install goes on when each of them has read of it while it ran, or has failed to. */
  async function whileItRuns<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } finally {
      if (++done === READERS) await goOn();
    }
  }

  it('streams as plain text for `curl -N`, line by line while the job runs, and ends with it', async () => {
    const follower = await whileItRuns(async () => {
      const opened = await follow(`jobs/${id}/logs?follow=true`, { Accept: '*/*' });
      expect(opened.response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
      await eventually('lines arrive while it runs', () => opened.lines.length > 3 && !opened.ended);
      expect((await panel.job(id)).state).toBe('running');
      return opened;
    });
    await eventually('the stream ends', () => follower.ended);
    expect((await panel.job(id)).state).toBe('succeeded');
    expect(follower.lines).toEqual((await panel.jobLog(id)).map(({ line }) => line));
  });

  it('streams as NDJSON, ends with `end`, and resumes behind a line', async () => {
    const first = await whileItRuns(async () => {
      const opened = await follow(`jobs/${id}/logs?follow=true`, NDJSON);
      await eventually('lines arrive while it runs', () => opened.items.length > 3 && !opened.ended);
      opened.leave();
      return opened;
    });
    const seen = first.items.length;
    const second = await follow(`jobs/${id}/logs?follow=true&after=${seen}`, NDJSON);
    await eventually('the stream ends', () => second.ended);
    expect(second.response.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
    expect(second.items.at(-1)).toEqual({ end: { state: 'succeeded', exitCode: 0 } });
    const items = [...first.items, ...second.items.slice(0, -1)].filter((item) => !('ping' in item));
    expect(items).toEqual(await panel.jobLog(id));
  });

  it('streams as server-sent events, which resume by Last-Event-ID and end with `end`', async () => {
    const first = await whileItRuns(async () => {
      const opened = await follow(`jobs/${id}/logs?follow=true`, SSE);
      await eventually('events arrive', () => events(opened.text).length > 3);
      opened.leave();
      return opened;
    });
    const before = events(first.text);
    const second = await follow(`jobs/${id}/logs?follow=true`, { ...SSE, 'Last-Event-ID': before.at(-1)?.id ?? '' });
    await eventually('the stream ends', () => second.ended);
    const after = events(second.text);
    expect(after.at(-1)).toEqual({ id: null, event: 'end', data: '{"state":"succeeded","exitCode":0}' });
    const lines = [...before, ...after.slice(0, -1)];
    const log = await panel.jobLog(id);
    expect(lines.map((event) => event.event)).toEqual(log.map(() => 'line'));
    expect(lines.map((event) => event.id)).toEqual(log.map(({ seq }) => String(seq)));
    expect(lines.map(({ data }): LogItem => JSON.parse(data))).toEqual(log);
  });

  it('is replayed from a position over the WebSocket, goes on live, and tells its end once and only then', async () => {
    const channel = `job:${id}`;
    const first = await whileItRuns(async () => {
      await eventually('it has printed', async () => (await panel.jobLog(id)).length > 3);
      const client = await live();
      client.subscribe(channel);
      await eventually('the replay', () => client.items(channel).length > 3);
      client.cut();
      return client;
    });
    const before = first.items(channel);
    expect(first.of('subscribed', channel)).toHaveLength(1);

    const second = await live();
    second.subscribe(channel, String(before.at(-1)?.seq));
    await eventually('the end', () => second.of('end', channel).length > 0);
    expect([...before, ...second.items(channel)]).toEqual(await panel.jobLog(id));
    expect(second.of('end', channel)).toEqual([{ type: 'end', channel, state: 'succeeded', exitCode: 0 }]);
    expect(second.frames.at(-1)?.frame.type).toBe('end');
    second.cut();
  });
});

describe("a server's log over HTTP", () => {
  it('streams as plain text: the last lines asked for, then live', async () => {
    const follower = await follow('servers/one/logs?follow=true&lines=5');
    expect(follower.response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    await eventually('twenty lines', () => follower.lines.length > 20);
    follower.leave();
    contiguous(ticksOf(follower.lines.map((line) => ({ line }))));
    const disk = (await instance.lines()).map(({ line }) => line);
    expect(disk.join('\n')).toContain(follower.lines.join('\n'));
  });

  it('streams as NDJSON and as server-sent events, which resume without gap or duplicate', async () => {
    const first = await follow('servers/one/logs?follow=true&lines=1', NDJSON);
    await eventually('ten lines', () => first.items.length > 10);
    first.leave();
    const last = String(first.items.at(-1)?.position);
    const second = await follow(`servers/${server.id}/logs?follow=true`, { ...SSE, 'Last-Event-ID': last });
    await eventually('ten more', () => events(second.text).length > 10);
    second.leave();
    const followed = [
      ...first.items,
      ...events(second.text).map(({ data }): Record<string, unknown> => JSON.parse(data)),
    ];
    const disk = await instance.lines();
    const from = disk.findIndex(({ position }) => position === followed[0]?.position);
    expect(followed.map(({ position, line }) => ({ position, line }))).toEqual(
      disk.slice(from, from + followed.length),
    );
  });

  it('says when lines are missing before the first one, and refuses what is no position', async () => {
    const { body } = await panel.admin.get('/api/v1/servers/one/logs?after=1-1&lines=10').expect(200);
    expect(body).toMatchObject({ truncated: true });
    const refused = await panel.admin.get('/api/v1/servers/one/logs?after=yesterday').expect(400);
    expect(refused.body.errors).toEqual([{ path: 'after', message: 'must be a position from an earlier answer' }]);
  });
});

describe('the WebSocket', () => {
  it("replays a server's log from a position and goes on live, without gap or duplicate over reconnects", async () => {
    const channel = `server:${server.id}:log`;
    const followed: Item[] = [];
    for (let round = 0; round < 4; round++) {
      const client = await live();
      const position = followed.at(-1)?.position;
      client.subscribe(channel, position);
      await eventually('live lines', () => client.items(channel).length > 10);
      client.cut();
      // Without a position the last 500 lines come first.
      followed.push(...client.items(channel));
    }
    const disk = await instance.lines();
    const from = disk.findIndex(({ position }) => position === followed[0]?.position);
    expect(followed.map(({ position, line }) => ({ position, line }))).toEqual(
      disk.slice(from, from + followed.length),
    );
    expect(ticksOf(disk.slice(from, from + followed.length)).length).toBeGreaterThan(30);
  });

  it('stops a channel that is unsubscribed, and answers what it does not know with an error', async () => {
    const channel = `server:${server.id}:log`;
    const client = await live();
    client.subscribe(channel);
    await eventually('lines', () => client.items(channel).length > 0);
    client.send({ type: 'unsubscribe', channel });
    client.subscribe('job:999999');
    client.subscribe('server:999999:log');
    client.subscribe('nonsense');
    client.subscribe(channel.replace('log', 'lag'));
    client.subscribe(channel, 'yesterday');
    client.send('not even JSON');
    await eventually('the errors', () => client.frames.filter(({ frame }) => frame.type === 'error').length === 6);
    const errors = client.frames.flatMap(({ frame }) =>
      frame.type === 'error' ? [`${frame.channel} ${frame.status}`] : [],
    );
    expect(errors.sort()).toEqual(
      [
        'job:999999 404',
        'nonsense 404',
        'null 400',
        `${channel} 400`,
        `${channel.replace('log', 'lag')} 404`,
        'server:999999:log 404',
      ].sort(),
    );
    const count = client.items(channel).length;
    await panel.do('one', 'initialize'); // some ticks pass
    expect(client.items(channel).length).toBe(count);
    client.cut();
  });

  it('pushes a crash, which is seen within a second of it, and the recovery', async () => {
    const client = await live();
    client.subscribe('servers');
    client.subscribe('jobs');
    await eventually('it is subscribed', () => client.of('subscribed', 'servers').length === 1);
    const { actualState } = await panel.reaches('one', { actualState: 'running', ready: true });
    expect(actualState).toBe('running');
    await instance.rcon('sys_crash');
    const failed = () => client.of('changed', 'servers').find(({ item }) => item['actualState'] === 'failed');
    // Sooner than all servers are looked at the next time.
    await eventually('the crash is pushed', () => failed() !== undefined, 5);
    const crashed = failed();
    expect(crashed).toMatchObject({
      item: { id: server.id, name: 'one', ready: false, map: null, lastError: expect.stringContaining('SIGSEGV') },
    });
    const { body } = await panel.admin.get('/api/v1/servers/one').expect(200);
    expect(crashed).toMatchObject({ item: { ...body, actualStateAt: expect.any(String) } });
    // By the panel's own clocks: how long a busy machine takes to bring the news here says nothing of it.
    expect(Date.parse(String(crashed?.item['actualStateAt'])) - (await instance.endedAt())).toBeLessThan(1000);

    const { id } = await panel.do('one', 'start');
    await eventually('the server is ready again', () =>
      client
        .of('changed', 'servers')
        .some(({ item }) => item['actualState'] === 'running' && item['ready'] === true && item['lastError'] === null),
    );
    const states = () => client.of('changed', 'jobs').flatMap(({ item }) => (item.id === id ? [item['state']] : []));
    await eventually('the end of the job is pushed', () => states().at(-1) === 'succeeded');
    expect(states()).toContain('running');
    client.cut();
  });

  it('refuses pages of other sites, closes with 4401 for who is not logged in, and takes tokens', async () => {
    expect((await live({ Origin: 'https://evil.example' })).refused).toBe(403);
    expect((await live({ Origin: panel.url })).refused).toBeNull();
    expect((await live({ Origin: panel.url, 'Sec-Fetch-Site': 'cross-site' })).refused).toBe(403);
    const stranger = await LiveClient.open(panel.url, {});
    await eventually('a stranger is sent away', () => stranger.closed !== null);
    expect(stranger.closed).toBe(4401);
    const { body: token } = await panel.admin
      .post('/api/v1/tokens')
      .send({ name: 'bot', scopes: ['read'] })
      .expect(201);
    const bot = await LiveClient.open(panel.url, { authorization: `Bearer ${token.token}` });
    bot.subscribe('servers');
    await eventually('the bot is subscribed', () => bot.of('subscribed', 'servers').length === 1);
    bot.cut();
  });

  it('shows nobody what is not theirs', async () => {
    await panel.admin
      .post('/api/v1/users')
      .send({ name: 'guest', password: 'guest-password', role: 'user' })
      .expect(201);
    const login = await fetch(`${panel.url}/api/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'guest', password: 'guest-password' }),
    });
    const guest = await LiveClient.open(panel.url, { cookie: login.headers.get('set-cookie')?.split(';')[0] ?? '' });
    guest.subscribe('servers');
    guest.subscribe(`server:${server.id}:log`);
    const { id } = await panel.queue('one', 'initialize');
    guest.subscribe(`job:${id}`);
    await panel.ended(id);
    await eventually('both are refused', () => guest.frames.filter(({ frame }) => frame.type === 'error').length === 2);
    expect(guest.frames.filter(({ frame }) => frame.type === 'error' && frame.status === 404)).toHaveLength(2);
    expect(guest.of('changed', 'servers')).toEqual([]);
    expect(guest.items(`server:${server.id}:log`)).toEqual([]);
    guest.cut();
  });

  it('is closed with 1012, come back, when the panel stops', async () => {
    const client = await live();
    await panel.end('SIGTERM');
    await eventually('it is closed', () => client.closed !== null);
    expect(client.closed).toBe(1012);
    await panel.start();
    const again = await live();
    again.subscribe('servers');
    await eventually('it is subscribed again', () => again.of('subscribed', 'servers').length === 1);
    again.cut();
  });
});
