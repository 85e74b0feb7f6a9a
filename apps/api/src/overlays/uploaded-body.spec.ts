import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import express from 'express';
import { afterEach, expect, it } from 'vitest';
import { problemBody } from '../problems/answer.js';
import { Invalid } from '../problems/problems.js';
import { takeBody } from './uploaded-body.js';

const SILENCE_MS = 300;
let server: Server;
afterEach(() => server.close());

/** Sends a body of ten bytes in these pieces, with pauses shorter than the limit; what the panel says to it. */
async function sent(...pieces: string[]): Promise<string> {
  const app = express();
  app.put('/', (request, response) => {
    takeBody(request, response, (body) => text(body), SILENCE_MS).then(
      (whole) => response.end(`got ${whole}`),
      (error: unknown) => response.end(JSON.stringify(problemBody(error))),
    );
  });
  server = createServer(app).listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write('PUT / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 10\r\n\r\n');
  const answer = text(socket);
  for (const piece of pieces) {
    socket.write(piece);
    await sleep(SILENCE_MS / 2);
  }
  return answer;
}

it('an upload may take as long as it likes, as long as bytes come', async () => {
  expect(await sent('01', '23', '45', '67', '89')).toContain('got 0123456789');
});

it('an upload of which nothing comes any more is given up, with a sentence', async () => {
  const answer = await sent('01', '23');
  expect(answer).toContain('"status":408');
  expect(answer).toContain('Nothing of the upload has come for 0.3 s.');
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
