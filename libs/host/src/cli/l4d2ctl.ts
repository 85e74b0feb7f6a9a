#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { CommanderError } from 'commander';
import { CommandFailed, HostError, Interrupted } from '../errors.js';
import type { Host } from '../host.js';
import { openHost } from '../open-host.js';
import { buildProgram } from './commands.js';
import { becomeServiceUser } from './service-user.js';
import { stateRoot } from './state-root.js';

const INTERRUPTED = 130;
/** From dist/cli. */
const CHECKOUT = fileURLToPath(new URL('../../../..', import.meta.url));

async function main(): Promise<number> {
  let root: string | null = null;
  // Once: what is there may look different after becoming another user.
  const rootOnce = () => (root ??= stateRoot(process.env.LEFT4ME_ROOT, CHECKOUT));
  const stop = new AbortController();
  const program = buildProgram({
    open: (reading) => open(rootOnce(), reading),
    run: {
      signal: stop.signal,
      output: {
        // A failed command's stderr is passed through; its stdout is progress, which belongs beside the answer.
        write: (_stream, line) => write(process.stderr, `${line}\n`),
        progress: () => undefined,
      },
    },
    print: (text) => process.stdout.write(`${text}\n`),
  });
  for (const command of [program, ...program.commands]) command.exitOverride();
  try {
    if (!wantsHelp()) {
      const code = await becomeServiceUser(rootOnce());
      if (code !== null) return code;
    }
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());
    await program.parseAsync();
    return 0;
  } catch (error) {
    return exitCode(error);
  }
}

async function open(root: string, reading: boolean): Promise<Host> {
  const serviceManager = process.env.LEFT4ME_SERVICE_MANAGER ?? 'process';
  if (serviceManager !== 'process' && serviceManager !== 'systemd') {
    throw new HostError('bad-setting', 'LEFT4ME_SERVICE_MANAGER must be process or systemd');
  }
  const steamcmd = process.env.LEFT4ME_STEAMCMD || undefined;
  return openHost({ root, serviceManager, steamcmd, assumeIsolation: reading ? 'namespaces' : undefined });
}

function wantsHelp(): boolean {
  const [first] = process.argv.slice(2);
  return first === undefined || first === 'help' || process.argv.some((word) => word === '--help' || word === '-h');
}

function exitCode(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // it has said what is wrong
  process.stderr.write(`l4d2ctl: ${error instanceof Error ? error.message : String(error)}\n`);
  if (error instanceof CommandFailed) return error.exitCode;
  return error instanceof Interrupted ? INTERRUPTED : 1;
}

function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve) => stream.write(text, () => resolve()));
}

process.exitCode = await main();
