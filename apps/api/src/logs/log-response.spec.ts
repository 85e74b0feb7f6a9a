import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import express from 'express';
import { expect, it } from 'vitest';
import { type LogStep, streamLog } from './log-response.js';

const format = { position: () => '', line: (line: string) => line };

async function* endless(signal: AbortSignal): AsyncGenerator<LogStep<string>> {
  while (!signal.aborted) {
    yield { items: ['x'.repeat(10_000)] };
    await sleep(1);
  }
}

/** Follows a log whose reader leaves when it has asked, or when lines have come. */
async function followed(leaves: 'at once' | 'later'): Promise<void> {
  const app = express();
  const streamed = new Promise<void>((resolve, reject) => {
    app.get('/', (request, response) => {
      // As long as the session is looked up.
      const begun = leaves === 'at once' ? once(response, 'close') : Promise.resolve();
      begun.then(() => streamLog(request, response, format, endless)).then(resolve, reject);
    });
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  if (leaves === 'later') await once(socket, 'data');
  else await once(server, 'request');
  socket.destroy();
  await streamed;
  server.close();
}

it('a followed log ends with its reader, also with one who left before it began', async () => {
  await expect(followed('later')).resolves.toBeUndefined();
  await expect(followed('at once')).resolves.toBeUndefined();
});
