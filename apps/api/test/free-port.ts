import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/** Out of the range that the system gives away by itself, and below what panels propose for servers. */
const FIRST = 20_000;
const SHARE = 800;
const SHARES = 8;

/** Each of the run's processes has ports of its own, and gives none of them twice: that of a server that is stopped stays its own. */
const first = FIRST + (Number(process.env['VITEST_POOL_ID'] ?? 1) % SHARES) * SHARE;
let given = randomInt(SHARE);

/** A port that is free for the game (UDP) and for RCON (TCP), and that no other test has or gets. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = first + (given++ % SHARE);
    if ((await isFreeForTcp(port)) && (await isFreeForUdp(port))) return port;
  }
}

function isFreeForTcp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)));
  });
}

function isFreeForUdp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => resolve(false));
    socket.bind(port, '0.0.0.0', () => socket.close(() => resolve(true)));
  });
}
