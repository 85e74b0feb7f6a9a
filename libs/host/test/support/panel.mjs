// Stands for the panel: opens a host, does what it is told, and then stays, to be killed.
import { openHost } from '../../dist/index.js';

const [root, name, port] = process.argv.slice(2);
const run = {
  signal: new AbortController().signal,
  output: { write: async () => undefined, progress: () => undefined },
};
const host = await openHost({ root, serviceManager: 'process' });
await host.initialize(name, { port: Number(port), overlays: [], arguments: [], files: [], hide: [] }, run);
await host.start(name, run);
console.log('started');
setInterval(() => undefined, 1_000);
