import { createSocket } from 'node:dgram';
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openHost, type Host } from '../src/index.js';
import { removeTree } from '../src/overlay/remove-tree.js';
import { rconCommand } from '../src/rcon/client.js';
import { PacketReader, RCON, encodePacket, type RconPacket } from '../src/rcon/packet.js';
import { Builds } from '../src/runtime/builds.js';
import { DemoRuntime } from '../src/runtime/demo.js';
import { eventually, logWith, makeRoot, makeSpec, recordingRun, statusOf } from './support/fixture.js';

const spec = makeSpec({
  arguments: ['+map', 'c2m1_highway versus', '-maxplayers', '12'],
  files: [
    {
      path: 'left4dead2/cfg/server.cfg',
      content: [
        'hostname "First" // a comment',
        'exec included',
        'rcon_password public; sv_tags "a,b"',
        'rcon_password "the panel\'s own"',
      ].join('\n'),
    },
    { path: 'left4dead2/cfg/included.cfg', content: 'hostname "Second, from included.cfg"\nsv_password ""\n' },
  ],
});
/** For what hangs: a busy machine must not come near it. */
const ANSWER_LIMIT_MS = 30_000;
const target = { host: '127.0.0.1', port: spec.port, password: "the panel's own" };
let root: string;
let host: Host;
const { run, said } = recordingRun();
const percents: number[] = [];

beforeAll(async () => {
  root = await makeRoot();
  host = await openHost({ root, serviceManager: 'process' });
  run.output.progress = (percent) => void (percent !== null && percents.push(percent));
  await host.install({}, run);
  await host.initialize('demo', spec, run);
  await host.start('demo', run);
  await logWith(host, 'demo', 'Console initialized');
});
afterAll(async () => {
  await host.stop('demo', recordingRun().run);
  await removeTree(root);
});

function rcon(command: string): Promise<string> {
  return rconCommand(target, command, ANSWER_LIMIT_MS);
}

/** Sends one datagram, joins a split answer, and returns it without its header. */
async function ask(request: Buffer): Promise<Buffer> {
  const socket = createSocket('udp4');
  let timer: NodeJS.Timeout | undefined;
  const parts = new Map<number, Buffer>();
  try {
    return await new Promise<Buffer>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error('no answer')), ANSWER_LIMIT_MS);
      socket.on('message', (message) => {
        if (message.readInt32LE(0) === -1) return resolve(message.subarray(4));
        parts.set(message.readUInt8(9), message.subarray(12));
        if (parts.size < message.readUInt8(8)) return;
        const whole = Buffer.concat([...parts.entries()].sort(([a], [b]) => a - b).map(([, part]) => part));
        resolve(whole.subarray(4));
      });
      socket.send(request, spec.port, '127.0.0.1');
      challenge(socket, request);
    });
  } finally {
    clearTimeout(timer);
    socket.close();
  }
}

/** The same question again with the challenge that came back. */
function challenge(socket: ReturnType<typeof createSocket>, request: Buffer): void {
  const [first] = socket.listeners('message');
  socket.removeAllListeners('message');
  socket.on('message', (message, peer) => {
    if (message[4] === 0x41 && message.readInt32LE(0) === -1) {
      const base = request[4] === 0x54 ? request : request.subarray(0, 5);
      socket.send(Buffer.concat([base, message.subarray(5, 9)]), spec.port, '127.0.0.1');
    } else first?.call(socket, message, peer);
  });
}

const header = [0xff, 0xff, 0xff, 0xff];
const INFO = Buffer.concat([Buffer.from([...header, 0x54]), Buffer.from('Source Engine Query\0')]);
const PLAYER = Buffer.from([...header, 0x55, ...header]);
const RULES = Buffer.from([...header, 0x56, ...header]);

function strings(buffer: Buffer, from: number): string[] {
  return buffer.toString('utf8', from).split('\0');
}

describe('the demo runtime', () => {
  it('is installed with visible progress, once, and said to be a demo', async () => {
    expect(percents.at(-1)).toBe(100);
    expect(percents.length).toBeGreaterThan(5);
    expect(said[0]).toMatch(/demo runtime, not the real game/);
    expect(await host.runtimes()).toMatchObject({ current: 'demo-1', builds: [{ build: 'demo-1', demo: true }] });
    expect((await host.runtimes()).builds[0]?.bytes).toBeGreaterThan(10e6);
    expect(await host.install({}, run)).toEqual({ build: 'demo-1', demo: true });
    expect((await host.runtimes()).builds).toHaveLength(1);
    expect(host.facts.runtimeKind).toBe('demo');
  });

  it('prints like srcds', async () => {
    const log = await logWith(host, 'demo', 'Server is hibernating');
    expect(log).toContain('Connection to Steam servers successful.');
    expect(log).toContain('   VAC secure mode is activated.');
    expect(log).toContain('Loading map "c2m1_highway"');
  });

  it('answers A2S_INFO behind a challenge, with the title, map and places it was given', async () => {
    const answer = await ask(INFO);
    expect(answer[0]).toBe(0x49);
    expect(strings(answer, 2).slice(0, 4)).toEqual([
      'Second, from included.cfg',
      'c2m1_highway',
      'left4dead2',
      'Left 4 Dead 2',
    ]);
    const numbers = answer.subarray(2 + Buffer.from(strings(answer, 2).slice(0, 4).join('\0')).length + 1);
    expect([numbers.readUInt16LE(0), numbers[2], numbers[3]]).toEqual([550, 0, 12]);
  });

  it('answers A2S_PLAYER and A2S_RULES, without passwords, also in several packets', async () => {
    await rcon('demo_players 3');
    for (let i = 0; i < 60; i++) await rcon(`sm_a_long_variable_name_${i} "with some value ${i}"`);
    const players = await ask(PLAYER);
    expect([players[0], players[1]]).toEqual([0x44, 3]);
    const rules = strings(await ask(RULES), 3);
    expect(rules).toContain('sm_a_long_variable_name_59');
    expect(rules).not.toContain('rcon_password');
    await rcon('demo_players 0');
  });

  it('takes console commands over RCON', async () => {
    expect(await rcon('status')).toMatch(/hostname: Second, from included\.cfg\n.*\n.*\n.*\nmap {5}: c2m1_highway/);
    expect(await rcon('mp_gamemode')).toBe('"mp_gamemode" = "versus"\n');
    expect(await rcon('rcon_password')).not.toContain('panel');
    expect(await rcon('nonsense')).toBe('Unknown command "nonsense"\n');
    expect(await rcon('echo one; echo "two; three"')).toBe('one\ntwo; three\n');
    expect(await rcon('exec ../../../etc/passwd')).toMatch(/invalid path/);
    await rcon('changelevel c8m1_apartment');
    expect(strings(await ask(INFO), 2)[1]).toBe('c8m1_apartment');
  });

  it('sends a long answer in parts, which the client joins', async () => {
    for (let i = 0; i < 30; i++) await rcon(`long_${i} ${'x'.repeat(400)}`);
    const answer = await rcon('cvarlist');
    expect(answer.length).toBeGreaterThan(3 * 4_096);
    expect(
      answer
        .trim()
        .split('\n')
        .filter((line) => line.startsWith('long_')),
    ).toHaveLength(30);
    expect(answer).toMatch(/total convars\/concommands\n$/);
  });

  it('has the quirks of RCON authentication', async () => {
    const authenticate = async (password: string): Promise<RconPacket[]> => {
      const socket = connect(spec.port, '127.0.0.1');
      const reader = new PacketReader();
      const packets: RconPacket[] = [];
      socket.write(encodePacket({ id: 42, type: RCON.auth, body: password }));
      for await (const chunk of socket) {
        if (Buffer.isBuffer(chunk)) packets.push(...reader.push(chunk));
        if (packets.length === 2) break;
      }
      socket.destroy();
      return packets;
    };
    expect(await authenticate(target.password)).toEqual([
      { id: 42, type: 0, body: '' },
      { id: 42, type: 2, body: '' },
    ]);
    expect((await authenticate('public')).map(({ id, type }) => [id, type])).toEqual([
      [42, 0],
      [-1, 2],
    ]);
    await expect(rconCommand({ ...target, password: 'wrong' }, 'status')).rejects.toMatchObject({
      code: 'rcon-failed',
    });
  });

  it('refuses a port that is taken, and crashes on demand', async () => {
    await host.initialize('second', { ...spec, files: [] }, run);
    // Start itself fails, unless the machine is so busy that it ends later than start waits for.
    await Promise.allSettled([host.start('second', run)]);
    await eventually(async () => (await statusOf(host, 'second')).state === 'failed');
    expect((await statusOf(host, 'second')).exitCode).toBe(1);
    expect((await logWith(host, 'second', "Couldn't allocate")).length).toBeGreaterThan(0);

    await rcon('sys_crash').catch(() => '');
    await eventually(async () => (await statusOf(host, 'demo')).state === 'failed');
    expect(await statusOf(host, 'demo')).toMatchObject({ exitCode: 139, signal: 'SIGSEGV' });
    await host.start('demo', run);
    await eventually(async () => rcon('status').catch(() => null));
  });

  it('bans an address that guesses passwords', async () => {
    const guess = { ...target, password: 'guess' };
    for (let i = 0; i < 10; i++)
      await expect(rconCommand(guess, 'status')).rejects.toMatchObject({ code: 'rcon-failed' });
    await expect(rcon('status')).rejects.toMatchObject({ code: 'rcon-failed' });
    await host.stop('demo', run);
    await host.start('demo', run);
    await eventually(async () => rcon('status').catch(() => null));
  });

  it('ends by itself when it is asked over RCON, and leaves files of its own', async () => {
    const before = said.length;
    await host.stop('demo', run);
    expect(said.slice(before)).toContain('sent "quit" over RCON');
    expect(said.slice(before)).not.toContain('sent SIGTERM');
    expect(await statusOf(host, 'demo')).toMatchObject({ state: 'stopped', exitCode: 0, signal: null });
    const upper = join(root, 'instances/demo/upper/left4dead2');
    expect((await readdir(upper)).sort()).toEqual(['addons', 'logs']);
    expect(await readFile(join(upper, 'addons/sourcemod/data/sqlite/clientprefs-sqlite.sq3'), 'utf8')).toMatch(
      /demo statistics/,
    );
  });

  it('sets up another build when it is asked for, which servers get with their next initialize', async () => {
    // The first one was set up as slowly as people like to see it.
    await new DemoRuntime(new Builds(root), 0).install({ build: 'demo-7' }, run);
    expect((await host.runtimes()).current).toBe('demo-7');
    await host.start('demo', run); // pinned to demo-1
    const inside = `/proc/${(await statusOf(host, 'demo')).pid}/mountinfo`;
    expect(await readFile(inside, 'utf8')).toContain('installation/demo-1');
    await host.stop('demo', run);
    await host.initialize('demo', spec, run);
    await host.start('demo', run);
    expect(await readFile(`/proc/${(await statusOf(host, 'demo')).pid}/mountinfo`, 'utf8')).toContain(
      'installation/demo-7',
    );
  });
});
