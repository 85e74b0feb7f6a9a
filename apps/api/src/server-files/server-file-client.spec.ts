import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readSettings } from '../config/settings.js';
import { Unavailable } from '../problems/problems.js';
import { listenAtSocket } from './files-socket.js';
import { ServerFileClient } from './server-file-client.js';

it('the worker is told when nobody waits for a count any more', async () => {
  const root = await mkdtemp(join(tmpdir(), 'left4me-files-'));
  const worker = createServer();
  try {
    await listenAtSocket(worker, root);
    const services = { databaseUrl: '', redisUrl: '', secretKey: '', port: 0 };
    const client = new ServerFileClient({ ...readSettings({}, { root }), ...services });
    const gone = new AbortController();
    const counted = client.size('alpha', 'left4dead2', gone.signal).catch((error: unknown) => error);
    const [, response] = (await once(worker, 'request')) as [unknown, ServerResponse];
    const closed = once(response, 'close');
    gone.abort();
    await closed;
    expect(await counted).toBeInstanceOf(Unavailable);
    // One who had gone before does not even ask.
    await expect(client.size('alpha', 'left4dead2', gone.signal)).rejects.toThrow(Unavailable);
  } finally {
    worker.close();
    await rm(root, { recursive: true });
  }
});
