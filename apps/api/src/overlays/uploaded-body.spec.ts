import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import express from 'express';
import { afterEach, expect, it } from 'vitest';
import { problemBody } from '../problems/answer.js';
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
