import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from './app.js';
import { eventually } from './eventually.js';

let panel: TestApp;
const ended: unknown[] = [];
const wouldEnd = (error: unknown) => void ended.push(error);
beforeAll(async () => {
  panel = await startApp();
  // Outside of a test either of them ends the process.
  process.on('uncaughtExceptionMonitor', wouldEnd).on('unhandledRejection', wouldEnd);
});
afterAll(async () => {
  process.off('uncaughtExceptionMonitor', wouldEnd).off('unhandledRejection', wouldEnd);
  await panel.close();
});

/** A connection on which a stranger writes whatever they like. */
class Stranger {
  heard = '';
  closed = false;

  private constructor(private readonly socket: Socket) {
    socket.on('data', (data) => (this.heard += data.toString('latin1')));
    socket.on('close', () => (this.closed = true)).on('error', () => undefined);
  }

  static says(...lines: string[]): Stranger {
    const stranger = new Stranger(connect(Number(new URL(panel.url).port), '127.0.0.1'));
    stranger.socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    return stranger;
  }

  send(...bytes: number[]): void {
    this.socket.write(Buffer.from(bytes));
  }

  get status(): number {
    return Number(/^HTTP\/1\.1 (\d+)/.exec(this.heard)?.[1]);
  }

  async answered(): Promise<number> {
    await eventually('an answer', () => this.closed || this.heard.includes('\r\n\r\n'));
    this.socket.destroy();
    return this.status;
  }
}

const UPGRADE = ['Host: x', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';

/** The panel answers as before, and nothing happened that ends a process. */
async function lives(): Promise<void> {
  await sleep(50);
  await panel.anonymous.get('/health/live').expect(200);
  expect(ended).toEqual([]);
}

describe('the panel outlives a stranger who', () => {
  it.each(['//', 'http://a:99999/api/v1/ws', '/api/v1/ws/..//', '*'])('upgrades at %s', async (address) => {
    expect(await Stranger.says(`GET ${address} HTTP/1.1`, ...UPGRADE, KEY).answered()).toBe(404);
    await lives();
  });

  it('upgrades without a key', async () => {
    expect(await Stranger.says('GET /api/v1/ws HTTP/1.1', ...UPGRADE).answered()).toBe(400);
    await lives();
  });

  it('sends what is no WebSocket frame, right behind the upgrade or later', async () => {
    for (const wait of [false, true]) {
      const stranger = Stranger.says('GET /api/v1/ws HTTP/1.1', ...UPGRADE, KEY);
      if (wait) await eventually('it is upgraded', () => stranger.status === 101);
      stranger.send(0xff, 0xff, 0xff);
      await eventually('it is closed', () => stranger.closed);
      expect(stranger.status).toBe(101);
      await lives();
    }
  });

  it('takes long over a request: an upload may, headers may not', () => {
    const { requestTimeout, headersTimeout } = panel.app.getHttpServer();
    expect({ requestTimeout, headersTimeout }).toEqual({ requestTimeout: 0, headersTimeout: 60_000 });
  });

  it('asks for the queues at an address that is none', async () => {
    const stranger = Stranger.says('GET http://a:99999/queues HTTP/1.1', 'Host: x', 'Accept: text/html');
    expect(await stranger.answered()).toBe(302);
    expect(stranger.heard).toContain('Location: /login?to=%2Fqueues\r\n');
    await lives();
  });
});
