// node installer.mjs <root> <steamcmd>: installs, as a worker does, and prints every line.
import { openHost } from '../../dist/index.js';

const [, , root, steamcmd] = process.argv;
const host = await openHost({ root, serviceManager: 'process', steamcmd });
const write = (_stream, line) => new Promise((resolve) => process.stdout.write(`${line}\n`, () => resolve()));
try {
  await host.install({}, { signal: new AbortController().signal, output: { write, progress: () => undefined } });
} catch (error) {
  await write('stderr', `failed: ${error.code}: ${error.message}`);
  process.exitCode = 1;
}
