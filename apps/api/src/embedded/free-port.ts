import { createServer } from 'node:net';

/**
 * The preferred port if nobody listens on it, else the next free one of the twenty after it, else any.
 * @throws whatever the system says when the address itself cannot be used (unknown, or not allowed)
 */
export async function freePort(preferred: number, bind: string): Promise<number> {
  for (let port = preferred; port <= Math.min(preferred + 20, 65_535); port++) {
    const got = await tryPort(port, bind);
    if (got !== null) return got;
  }
  return (await tryPort(0, bind)) ?? preferred;
}

function tryPort(port: number, host: string): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(null) : reject(error),
    );
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : null));
    });
  });
}
