import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import express from 'express';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { jsonBodies } from './bodies.js';

const LIMIT_MS = 200;
let server: Server;
const bodies: unknown[] = [];

beforeAll(async () => {
  const app = express();
  app.use(jsonBodies(LIMIT_MS));
  app.post('/api/slow', (_request, response) => setTimeout(() => response.end('answered'), 2 * LIMIT_MS));
  app.use((request, response) => {
    bodies.push(request.body);
    response.end('answered');
  });
  server = createServer(app).listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
});
afterAll(() => server.close());

/** What comes back when this was sent of a body of twelve bytes. */
function answered(path: string, body: string): Promise<string> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const head = ['Host: x', 'Connection: close', 'Content-Type: application/json', 'Content-Length: 12'];
  socket.write(`POST ${path} HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n${body}`);
  return text(socket);
}

it('a JSON body that does not come is not waited for without end, and nothing is done', async () => {
  await expect(answered('/api/jobs', '{"a":')).resolves.toBe('');
  expect(bodies).toEqual([]);
});

it('only the body has to come in time: the answer may take longer', async () => {
  expect(await answered('/api/slow', '{"a": "bcd"}')).toContain('answered');
});

it('a route that takes its body as it comes has limits of its own', async () => {
  expect(await answered('/api/v1/overlays/1/archive', '{"a":')).toContain('answered');
});
