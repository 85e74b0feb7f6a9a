// Stands for a worker that runs a command which has children of its own, to be killed in the middle of it.
import { CommandRecords } from '../../dist/process/command-records.js';
import { CommandRunner } from '../../dist/process/command-runner.js';

const [root, isolated, mark] = process.argv.slice(2);
const runner = new CommandRunner(isolated === 'true', new CommandRecords(`${root}/commands`));
const run = {
  signal: new AbortController().signal,
  output: { write: async (_stream, line) => console.log(line), progress: () => undefined },
};
const script = `sleep ${mark} & sleep ${mark} & (setsid sleep ${mark}) & echo running; wait`;
await runner.run({ command: ['/bin/sh', '-c', script], timeLimitMs: 60_000 }, run);
