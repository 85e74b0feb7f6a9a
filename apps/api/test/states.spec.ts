import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { InstanceStatus } from '@left4me/host';
import { CommandFailed } from '@left4me/host';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ServerView } from '../src/servers/server.dto.js';
import { ServerStates } from '../src/states/server-states.js';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';
import { type QueuePanel, startQueue } from './queue-panel.js';
import { StandInHost } from './stand-in-host.js';

/** A machine whose answers about states can be held back, and which tells of changes. */
class WatchedHost extends StandInHost {
  /** The names that each status call asked for. */
  readonly asked: (readonly string[])[] = [];
  private held: { name: string; until: Promise<void> } | null = null;
  private readonly changed: string[] = [];
  private wake = (): void => undefined;

  /** The next look at this instance reads at once, but it answers only when it is released. */
  holdNextStatus(name: string): { hasRead: () => boolean; release: () => void } {
    let release = (): void => undefined;
    const held = { name, until: new Promise<void>((resolve) => (release = resolve)) };
    this.held = held;
    return { hasRead: () => this.held !== held, release };
  }

  /** Something happens to an instance by itself. */
  happen(name: string, state: InstanceStatus['state'], more: Partial<InstanceStatus> = {}): void {
    this.set(name, state, more);
    this.changed.push(name);
    this.wake();
  }

  override async status(names?: readonly string[]): Promise<InstanceStatus[]> {
    this.asked.push(names ?? []);
    const held = this.held && names?.includes(this.held.name) ? this.held : null;
    const read = await super.status(names);
    if (held) this.held = null;
    await held?.until;
    return read;
  }

  override async *watch(signal: AbortSignal): AsyncGenerator<string> {
    signal.addEventListener('abort', () => this.wake());
    while (!signal.aborted) {
      const name = this.changed.shift();
      if (name === undefined) await new Promise<void>((resolve) => (this.wake = resolve));
      else yield name;
    }
  }
}

/** Answers A2S_INFO and A2S_PLAYER on a port as a server does (https://developer.valvesoftware.com/wiki/Server_queries). */
async function answering(port: number, map: string, players: number): Promise<Socket> {
  const socket = createSocket('udp4');
  const head = Buffer.from([0xff, 0xff, 0xff, 0xff]);
  const info = Buffer.concat([
    Buffer.from([0x49, 17]),
    Buffer.from(`A Server\0${map}\0left4dead2\0Left 4 Dead 2\0`, 'latin1'),
    Buffer.from([0x26, 0x02, players, 8, 0, 0x64, 0x6c, 0, 1]),
    Buffer.from('2.2.4.3\0\0', 'latin1'),
  ]);
  socket.on('message', (message, { port: peer, address }) => {
    const answers: Record<number, Buffer> = {
      0x54: info,
      0x55: Buffer.from([0x44, 0]),
      0x56: Buffer.from([0x45, 0, 0]),
    };
    const answer = answers[message[4] ?? 0];
    if (answer) socket.send(Buffer.concat([head, answer]), peer, address);
  });
  socket.bind(port, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

let host: WatchedHost;
let panel: QueuePanel;
const sockets: Socket[] = [];
beforeAll(async () => {
  host = new WatchedHost();
  panel = await startQueue({ pollerIntervalSeconds: 3600 }, host);
  await panel.ended((await panel.install()).id);
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.close();
  // Those that run would be asked in vain for seconds while the next test waits for its own.
  for (const { name } of await host.status()) host.set(name, 'stopped');
  await panel.app.get(ServerStates).poll(panel.hostId);
});
afterAll(() => panel.close());

const get = async (name: string): Promise<ServerView> =>
  (await panel.admin.get(`/api/v1/servers/${name}`).expect(200)).body;
const reaches = (name: string, wanted: Partial<ServerView>) =>
  eventually(`${name} ${JSON.stringify(wanted)}`, async () =>
    expect.objectContaining(wanted).asymmetricMatch(await get(name)),
  );
/** When its state was last written down (ms). */
const seenAt = async (name: string): Promise<number> => Date.parse((await get(name)).actualStateAt ?? '');
const run = async (name: string, operation: 'start' | 'stop' | 'initialize') =>
  panel.ended((await panel.queue(name, operation)).id);
const answerOn = async (port: number, map: string, players: number) => {
  sockets.push(await answering(port, map, players));
};
const serverOn = async (name: string): Promise<number> => {
  const port = await freePort();
  await panel.server(name);
  await panel.admin.patch(`/api/v1/servers/${name}`).send({ port }).expect(200);
  return port;
};

describe('a slow look at the servers', () => {
  it('that began before a job does not overwrite what the job has made true', async () => {
    await panel.server('fenced');
    expect((await run('fenced', 'initialize')).state).toBe('succeeded');
    await reaches('fenced', { actualState: 'stopped' });
    // Every write of the state is noted.
    await panel.database.query(`
      CREATE TABLE noted (n serial, state text);
      CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF NEW.name = 'fenced' AND NEW.actual_state_at IS DISTINCT FROM OLD.actual_state_at THEN INSERT INTO noted (state) VALUES (NEW.actual_state); END IF; RETURN NEW; END $$;
      CREATE TRIGGER note AFTER UPDATE ON servers FOR EACH ROW EXECUTE FUNCTION note()`);

    const look = host.holdNextStatus('fenced');
    const poll = panel.app.get(ServerStates).poll(panel.hostId, ['fenced']);
    await eventually('the look has begun', look.hasRead);
    expect((await run('fenced', 'start')).state).toBe('succeeded');
    expect((await get('fenced')).actualState).toBe('running');
    look.release();
    await poll;
    expect((await get('fenced')).actualState).toBe('running');
    const noted = await panel.database.query<{ state: string }[]>(`SELECT state FROM noted ORDER BY n`);
    expect([...new Set(noted.map(({ state }) => state))]).toEqual(['running']);
  });

  it('that ends while a job runs does not count either, and while it runs the server is not looked at', async () => {
    await answerOn(await serverOn('busy'), 'c1m1_hotel', 0);
    expect((await run('busy', 'start')).state).toBe('succeeded');
    await reaches('busy', { ready: true });
    host.set('busy', 'failed', { reason: 'it was seen before the job' });
    const look = host.holdNextStatus('busy');
    const poll = panel.app.get(ServerStates).poll(panel.hostId, ['busy']);
    await eventually('the look has begun', look.hasRead);
    host.set('busy', 'running', { reason: null });

    const go = host.hold('stop', 'busy');
    const { id } = await panel.queue('busy', 'stop');
    await panel.reaches(id, 'running');
    const before = host.asked.length;
    look.release();
    await poll;
    await panel.app.get(ServerStates).poll(panel.hostId);
    expect(host.asked.slice(before).flat()).not.toContain('busy');
    expect(await get('busy')).toMatchObject({ actualState: 'running', lastError: null });
    go();
    await panel.ended(id);
    expect(await get('busy')).toMatchObject({ actualState: 'stopped', lastError: null });
  });
});

describe('a server that crashes', () => {
  it('is failed at once, says why, and is wanted running still; a start clears the error', async () => {
    const port = await serverOn('crashing');
    await answerOn(port, 'c2m1_highway', 4);
    await run('crashing', 'start');
    await reaches('crashing', { actualState: 'running', ready: true, map: 'c2m1_highway' });
    const begun = Date.now();
    host.happen('crashing', 'failed', { exitCode: 139, signal: 'SIGSEGV', reason: 'it was ended by SIGSEGV' });
    await reaches('crashing', { actualState: 'failed' });
    expect((await seenAt('crashing')) - begun).toBeLessThan(1000);
    expect(await get('crashing')).toMatchObject({
      desiredState: 'running',
      ready: false,
      readyAt: null,
      map: null,
      players: null,
      maxPlayers: null,
      lastError: 'it was ended by SIGSEGV',
    });
    await run('crashing', 'start');
    expect(await get('crashing')).toMatchObject({ actualState: 'running', lastError: null });
  });

  it('is seen at once also while another one does not answer', async () => {
    await serverOn('silent');
    await answerOn(await serverOn('falling'), 'c1m1_hotel', 0);
    await run('silent', 'start');
    await run('falling', 'start');
    await reaches('falling', { ready: true });
    host.happen('silent', 'running', { startedAt: new Date().toISOString() });
    const begun = Date.now();
    host.happen('falling', 'failed', { reason: 'it was ended by SIGSEGV' });
    await reaches('falling', { actualState: 'failed' });
    expect((await seenAt('falling')) - begun).toBeLessThan(1000);
  });

  it('keeps the error of a failed start, which says more', async () => {
    await panel.server('refusing');
    host.on('start', 'refusing', () => {
      host.happen('refusing', 'failed', { exitCode: 7, reason: 'it did not start' });
      return Promise.reject(new CommandFailed(7, ['srcds_run'], 'there is no such map'));
    });
    expect(await run('refusing', 'start')).toMatchObject({ state: 'failed', exitCode: 7 });
    await reaches('refusing', { actualState: 'failed' });
    await panel.app.get(ServerStates).poll(panel.hostId, ['refusing']);
    expect((await get('refusing')).lastError).toBe('start failed: there is no such map');
  });
});

describe('readiness', () => {
  it(
    'is not known until the server answers over A2S on its port, and not again when it falls silent',
    { timeout: 60_000 },
    async () => {
      const port = await serverOn('answering');
      await run('answering', 'start');
      expect(await get('answering')).toMatchObject({
        actualState: 'running',
        ready: null,
        readyAt: null,
        map: null,
        players: null,
      });
      await answerOn(port, 'c5m1_waterfront', 3);
      await reaches('answering', { ready: true, map: 'c5m1_waterfront', players: 3, maxPlayers: 8 });
      const { readyAt } = await get('answering');
      expect(Date.now() - new Date(readyAt ?? 0).getTime()).toBeLessThan(10_000);

      for (const socket of sockets.splice(0)) socket.close();
      await answerOn(port, 'c5m2_park', 4);
      await panel.app.get(ServerStates).poll(panel.hostId, ['answering']);
      expect(await get('answering')).toMatchObject({ ready: true, readyAt, map: 'c5m2_park', players: 4 });

      for (const socket of sockets.splice(0)) socket.close();
      await panel.app.get(ServerStates).poll(panel.hostId, ['answering']);
      expect(await get('answering')).toMatchObject({ actualState: 'running', ready: null, map: null, players: null });
    },
  );

  it('is not lost when a job leaves the running server alone', async () => {
    const port = await serverOn('steady');
    await answerOn(port, 'c8m1_apartment', 2);
    await run('steady', 'start');
    await reaches('steady', { ready: true });
    const { readyAt } = await get('steady');
    for (const operation of ['initialize', 'start'] as const) {
      expect((await run('steady', operation)).state).toBe('succeeded');
      expect(await get('steady')).toMatchObject({ ready: true, readyAt, map: 'c8m1_apartment', players: 2 });
    }
  });
});
