import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import express from 'express';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { eventually } from '../../test/eventually.js';
import { problemBody } from '../problems/answer.js';
import { Invalid } from '../problems/problems.js';
import { takeBody } from './uploaded-body.js';

const SILENCE_MS = 60_000;
let server: Server;
// Only the time is not real: how long a busy machine takes for a piece says nothing.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => {
  vi.useRealTimers();
  server.close();
});

/** Sends a body of ten bytes in these pieces, with pauses just within the limit, and then nothing; what the panel says to it. */
async function sent(...pieces: string[]): Promise<string> {
  let taken = '';
  const take = async (body: Readable) => {
    for await (const chunk of body) taken += String(chunk);
    return taken;
  };
  const app = express();
  app.put('/', (request, response) => {
    takeBody(request, response, take, SILENCE_MS).then(
      (whole) => response.end(`got ${whole}`),
      (error: unknown) => response.end(JSON.stringify(problemBody(error))),
    );
  });
  server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write('PUT / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 10\r\n\r\n');
  const answer = text(socket);
  for (const [index, piece] of pieces.entries()) {
    socket.write(piece);
    const whole = pieces.slice(0, index + 1).join('');
    await eventually(`${whole} is taken`, () => taken === whole);
    vi.advanceTimersByTime(SILENCE_MS - 1);
  }
  vi.advanceTimersByTime(1);
  return answer;
}

it('an upload may take as long as it likes, as long as bytes come', async () => {
  expect(await sent('01', '23', '45', '67', '89')).toContain('got 0123456789');
});

it('an upload of which nothing comes any more is given up, with a sentence', async () => {
  const answer = await sent('01', '23');
  expect(answer).toContain('"status":408');
  expect(answer).toContain('Nothing of the upload has come for 60 s.');
});

it.each([
  ['sent a part of it', '01'],
  ['sent all of it', '0123456789'],
])('an upload of somebody who %s and left before it was taken ends at once', async (_who, bytes) => {
  const app = express();
  const taken = new Promise<string>((resolve, reject) => {
    app.put('/', (request, response) => {
      // As long as the session is looked up.
      const lookedUp = once(response, 'close');
      lookedUp.then(() => takeBody(request, response, (body) => text(body))).then(resolve, reject);
    });
  });
  server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const asked = once(server, 'request');
  socket.write(`PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n${bytes}`);
  await asked;
  socket.destroy();
  await expect(taken).rejects.toBeInstanceOf(Invalid);
});
