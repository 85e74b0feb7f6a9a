import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { text as textOf } from 'node:stream/consumers';
import { Command, InvalidArgumentError } from 'commander';
import { HostError } from '../errors.js';
import type { Host, InstanceStatus, Run } from '../host.js';
import { hasCode } from '../overlay/durable.js';
import { parseSpec } from '../instances/spec.js';

export interface CliContext {
  /** `reading`: the machine need not be tried out. */
  open(reading: boolean): Promise<Host>;
  run: Run;
  print(text: string): void;
}

const EXIT_CODES = `
Exit codes: 0 success; the failed command's own code (128 + signal when killed); 1 any other error;
2 wrong usage; 130 interrupted (but logs --follow, which is ended that way: 0).
Environment: LEFT4ME_ROOT (.left4me in the checkout if it is there, else /var/lib/left4me),
LEFT4ME_SERVICE_MANAGER (process), LEFT4ME_STEAMCMD.
Run as root, it first becomes the owner of LEFT4ME_ROOT.`;

/** The commands of `l4d2ctl`. */
export function buildProgram(context: CliContext): Command {
  const { run } = context;
  const program = new Command('l4d2ctl')
    .description('Drives the Left 4 Dead 2 servers of this machine. It keeps no order: that is the panel’s queue.')
    .addHelpText('after', EXIT_CODES)
    .helpCommand(false)
    .showHelpAfterError('(l4d2ctl --help tells more)');

  program
    .command('install')
    .description('install the game, or update it')
    .action(async () => {
      const { build } = await (await context.open(false)).install({}, run);
      context.print(`installed ${build}`);
    });
  program
    .command('initialize <name>')
    .description('prepare what the next start takes')
    .requiredOption(
      '-f, --file <spec.yaml>',
      'the specification: port, overlays, arguments, files, hide; - is standard input',
    )
    .action(async (name: string, options: { file: string }) => {
      const spec = parseSpec(await readSpec(options.file));
      const { generation } = await (await context.open(false)).initialize(name, spec, run);
      context.print(`${name}: generation ${generation} is next`);
    });
  program
    .command('start <name>')
    .description('start a server; one that runs is left untouched')
    .action(async (name: string) => {
      const { generation, alreadyRunning } = await (await context.open(false)).start(name, withoutWords(run));
      context.print(alreadyRunning ? `${name} runs already` : `${name} runs generation ${generation}`);
    });
  program
    .command('stop <name>')
    .description('stop a server')
    .action(async (name: string) => {
      await (await context.open(false)).stop(name, run);
      context.print(`${name} is stopped`);
    });
  program
    .command('delete <name>')
    .description('stop a server and remove it; its own files stay in trash/')
    .action(async (name: string) => {
      const { found } = await (await context.open(false)).delete(name, `${name}/ctl-${Date.now()}`, run);
      context.print(found ? `${name} is gone` : `there is no server ${name} on this host`);
    });
  program
    .command('status <name>')
    .description('what a server does')
    .option('--json', 'all fields, as JSON')
    .action(async (name: string, options: { json?: boolean }) => {
      const [status] = await (await context.open(true)).status([name]);
      if (status !== undefined) context.print(options.json ? JSON.stringify(status, null, 2) : describe(status));
    });
  program
    .command('logs <name>')
    .description("a server's log")
    .option('--lines <n>', 'how many of the last lines', wholeNumber, 100)
    .option('--follow', 'go on with new lines', false)
    .option('--no-follow', 'end after the last line (default)')
    .action(async (name: string, options: { lines: number; follow: boolean }) => {
      const host = await context.open(true);
      for await (const { at, line } of host.logs(name, { ...options, signal: run.signal }))
        context.print(`${at} ${line}`);
    });
  return program;
}

/** It is read as the service user, to whom a file of root's may be closed. */
async function readSpec(file: string): Promise<string> {
  if (file === '-') return textOf(process.stdin);
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'EACCES'))
      throw new HostError(
        'bad-file',
        `user ${userName()} may not read ${file}: give it by standard input, -f - <${file}`,
      );
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) throw new HostError('bad-file', `${file} does not exist`);
    if (hasCode(error, 'EISDIR')) throw new HostError('bad-file', `${file} is a folder`);
    throw error;
  }
}

/** Where it has no entry in passwd: its number. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.geteuid?.());
  }
}

/** For what answers in the host's own words: they are said once. What a command complains of is passed through. */
function withoutWords({ signal, output }: Run): Run {
  const write: Run['output']['write'] = (stream, line) =>
    stream === 'stdout' ? Promise.resolve() : output.write(stream, line);
  return { signal, output: { write, progress: (percent, text) => output.progress(percent, text) } };
}

function wholeNumber(text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

function describe(status: InstanceStatus): string {
  if (status.state === 'absent') return `there is no server ${status.name} on this host`;
  const parts = [`${status.name}: ${status.state}`];
  if (status.pid !== null) parts.push(`process ${status.pid}`);
  if (status.generation !== null) parts.push(`generation ${status.generation}`);
  if (status.reason !== null) parts.push(status.reason);
  return parts.join(', ');
}
