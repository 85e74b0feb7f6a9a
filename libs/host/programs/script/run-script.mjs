// run-script.mjs <proxy's socket> <program> [argument…]
// Inside a script's sandbox, which has no network: joins 127.0.0.1:3128, where the environment's http_proxy leads, to the worker's
// proxy, and runs the program meanwhile. Ends with its code (128 + signal); whatever the program left behind ends with the sandbox.
import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { constants } from 'node:os';

const [socket, program, ...words] = process.argv.slice(2);

const server = createServer({ allowHalfOpen: true }, (client) => {
  const proxy = connect({ path: socket, allowHalfOpen: true });
  for (const [from, to] of [
    [client, proxy],
    [proxy, client],
  ]) {
    from.on('error', () => to.destroy());
    from.pipe(to);
  }
});

server.listen(3128, '127.0.0.1', () => {
  const child = spawn(program, words, { stdio: 'inherit' });
  child.on('error', (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(127);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
});
