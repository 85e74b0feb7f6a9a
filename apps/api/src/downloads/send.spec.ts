import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import express from 'express';
import { expect, it } from 'vitest';
import { sendArchive } from './send.js';

const SILENCE_MS = 150;

/** Sends it to who asks; resolves with that one's connection and the sending. */
async function asked(zip: Readable): Promise<{ socket: Socket; sent: Promise<void> }> {
  const app = express();
  const begun = new Promise<{ sent: Promise<void> }>((resolve) => {
    app.get('/', (_, response) => resolve({ sent: sendArchive(response, 'a.zip', zip, SILENCE_MS) }));
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.pause().write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  const { sent } = await begun;
  server.close();
  return { socket, sent };
}

const endless = async function* () {
  for (;;) yield Buffer.alloc(64 * 1024, 'x');
};

it('an archive of which its reader takes nothing for long is cut, and its packing ends', async () => {
  const zip = Readable.from(endless());
  const { socket, sent } = await asked(zip);
  await sent;
  expect(zip.destroyed).toBe(true);
  socket.destroy();
});

it('an archive that is packed slowly is sent to its end', async () => {
  const slow = async function* () {
    yield Buffer.from('begun,');
    await sleep(3 * SILENCE_MS);
    yield Buffer.from('ended');
  };
  const packed = await asked(Readable.from(slow()));
  expect((await buffer(packed.socket)).toString()).toMatch(/begun,[^]*ended/);
  await packed.sent;
});
