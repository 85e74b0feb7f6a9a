import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LogBuffer } from '../logs/buffer';
import { LiveConnection, type LiveState, type Socket } from './connection';
import type { LiveMessage } from './messages';

class FakeSocket implements Socket {
  sent: unknown[] = [];
  closed = false;
  onopen: Socket['onopen'] = null;
  onclose: Socket['onclose'] = null;
  onmessage: Socket['onmessage'] = null;

  send(data: string): void {
    this.sent.push(JSON.parse(data));
  }

  close(): void {
    this.closed = true;
  }

  opens(): void {
    this.onopen?.(new Event('open'));
  }

  drops(code = 1006): void {
    this.onclose?.(new CloseEvent('close', { code }));
  }

  says(message: object): void {
    this.onmessage?.(new MessageEvent('message', { data: JSON.stringify(message) }));
  }
}

function setUp() {
  const sockets: FakeSocket[] = [];
  const states: LiveState[] = [];
  const onReconnect = vi.fn<() => void>();
  const connection = new LiveConnection({
    open: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    random: () => 0.5,
    onState: (state) => states.push(state),
    onReconnect,
  });
  const socket = (index: number): FakeSocket => {
    const found = sockets[index];
    if (!found) throw new Error(`no socket ${index}`);
    return found;
  };
  return { connection, sockets, socket, states, onReconnect };
}

const at = '2026-11-21T20:00:00Z';
const seqLines = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => ({
    seq: from + index,
    stream: 'stdout',
    line: `line ${from + index}`,
    at,
  }));

/** A listener as the log view has it: a buffer that is resumed after its last position. */
function logListener() {
  const buffer = new LogBuffer();
  return {
    buffer,
    listener: {
      after: () => buffer.last,
      message: (message: LiveMessage) => {
        if (message.type === 'lines') buffer.append(message.items);
      },
    },
  };
}

describe('the live connection', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('subscribes when it stands, also to what was asked for before', () => {
    const { connection, socket } = setUp();
    connection.subscribe('servers', { message: () => undefined });
    connection.start();
    expect(socket(0).sent).toEqual([]);
    socket(0).opens();
    connection.subscribe('jobs', { message: () => undefined });
    expect(socket(0).sent).toEqual([
      { type: 'subscribe', channel: 'servers' },
      { type: 'subscribe', channel: 'jobs' },
    ]);
  });

  it('resumes a log after its last position, without gap or duplicate', () => {
    const { connection, socket, onReconnect } = setUp();
    const { buffer, listener } = logListener();
    connection.subscribe('job:5', listener);
    connection.start();
    socket(0).opens();
    socket(0).says({ type: 'lines', channel: 'job:5', items: seqLines(1, 40) });
    expect(onReconnect).not.toHaveBeenCalled();
    socket(0).drops();
    vi.advanceTimersByTime(1_000);
    socket(1).opens();
    expect(onReconnect).toHaveBeenCalledOnce();
    expect(socket(1).sent).toEqual([{ type: 'subscribe', channel: 'job:5', after: '40' }]);
    // The panel may send a little too much: better twice than never.
    socket(1).says({ type: 'lines', channel: 'job:5', items: seqLines(38, 60) });
    expect(buffer.size).toBe(60);
    expect(Array.from({ length: 60 }, (_, index) => buffer.at(index)?.text)).toEqual(
      seqLines(1, 60).map((item) => item.line),
    );
  });

  it('gives a second listener its own replay, which the first one drops', () => {
    const { connection, socket } = setUp();
    const first = logListener();
    const second = logListener();
    connection.subscribe('job:5', first.listener);
    connection.start();
    socket(0).opens();
    socket(0).says({ type: 'lines', channel: 'job:5', items: seqLines(1, 10) });
    const leave = connection.subscribe('job:5', second.listener);
    expect(socket(0).sent.slice(1)).toEqual([
      { type: 'unsubscribe', channel: 'job:5' },
      { type: 'subscribe', channel: 'job:5' },
    ]);
    socket(0).says({ type: 'lines', channel: 'job:5', items: seqLines(1, 12) });
    expect([first.buffer.size, second.buffer.size]).toEqual([12, 12]);
    leave();
    expect(socket(0).sent).toHaveLength(3);
  });

  it('waits longer after each failure, with jitter, and at most 15 seconds', () => {
    const { connection, sockets, socket } = setUp();
    connection.start();
    const waits: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      socket(round).drops();
      const before = Date.now();
      while (sockets.length === round + 1) vi.advanceTimersByTime(50);
      waits.push(Date.now() - before);
    }
    expect(waits[0]).toBeLessThan(600);
    expect(waits[3]).toBeGreaterThan(waits[1] ?? Infinity);
    expect(Math.max(...waits)).toBeLessThanOrEqual(15_250);
  });

  it('does not try again when nobody is logged in', () => {
    const { connection, sockets, socket, states } = setUp();
    connection.start();
    socket(0).drops(4401);
    vi.advanceTimersByTime(120_000);
    expect(sockets).toHaveLength(1);
    expect(states.at(-1)).toBe('denied');
    connection.start();
    expect(sockets).toHaveLength(2);
  });

  it('gives up a line that fell silent', () => {
    const { connection, sockets, socket, states } = setUp();
    connection.start();
    socket(0).opens();
    vi.advanceTimersByTime(30_000);
    socket(0).says({ type: 'ping' });
    vi.advanceTimersByTime(30_000);
    expect(states.at(-1)).toBe('open');
    vi.advanceTimersByTime(11_000);
    expect(socket(0).closed).toBe(true);
    expect(sockets).toHaveLength(2);
  });

  it('ignores what it does not understand', () => {
    const { connection, socket } = setUp();
    const heard = vi.fn<(message: LiveMessage) => void>();
    connection.subscribe('jobs', { message: heard });
    connection.start();
    socket(0).opens();
    socket(0).onmessage?.(new MessageEvent('message', { data: 'no json' }));
    socket(0).says({ type: 'confetti', channel: 'jobs' });
    socket(0).says({ type: 'changed', channel: 'jobs', item: { id: 'x' } });
    expect(heard).not.toHaveBeenCalled();
    socket(0).says({ type: 'removed', channel: 'jobs', id: 4 });
    expect(heard).toHaveBeenCalledWith({ type: 'removed', channel: 'jobs', id: 4 });
  });

  it('tells apart a stopped connection and a late event of it', () => {
    const { connection, sockets, socket, states } = setUp();
    connection.start();
    socket(0).opens();
    connection.stop();
    socket(0).drops();
    vi.advanceTimersByTime(60_000);
    expect(sockets).toHaveLength(1);
    expect(states.at(-1)).toBe('idle');
  });
});
