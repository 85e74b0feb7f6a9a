import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { boundPorts, portsInUse } from './ports-in-use.js';

it('finds the ports that other programs use', async () => {
  const udp = createSocket('udp4').bind(0);
  const tcp = createServer().listen(0);
  await Promise.all([once(udp, 'listening'), once(tcp, 'listening')]);
  const address = tcp.address();
  const found = await portsInUse();
  expect(found).toContain(udp.address().port);
  expect(found).toContain(typeof address === 'object' ? address?.port : null);
  udp.close();
  tcp.close();
});

it('does not count connections that merely go out', () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1 1 0 100 0 0 10 0',
    '   1: 0100007F:9C40 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 2 1 0 20 4 30 10 -1',
  ].join('\n');
  expect(boundPorts(table, true)).toEqual([8080]);
});
