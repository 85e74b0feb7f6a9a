import { spawn } from 'node:child_process';
import { firstToGo } from '@left4me/host';

const LIMIT_MS = 5_000;
/** Of memory and processor seconds: brackets within brackets take bash long. */
const BOUNDS = ['--data=268435456', '--cpu=5', '--core=0', '--fsize=0'];
const MAX_OUTPUT = 10_000;
const ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8' };

/**
 * What bash finds wrong with a script's grammar, each with its line, `line 3: syntax error …`; empty when nothing is. The script is read
 * (`bash -n`), never run.
 */
export async function syntaxErrors(script: string): Promise<string[]> {
  const child = spawn('prlimit', [...BOUNDS, '--', 'bash', '--norc', '--noprofile', '-n'], {
    env: ENVIRONMENT,
    stdio: ['pipe', 'ignore', 'pipe'],
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  firstToGo(child.pid);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    said = (said + part).slice(0, MAX_OUTPUT);
  });
  child.stdin.on('error', () => undefined); // it ended before it had read all; its code tells
  child.stdin.end(script);
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (...end) => resolve(end));
  });
  if (code === 0) return [];
  if (signal !== null) return ['bash could not read it within its limits: it is nested too deeply'];
  const lines = said.split('\n').map((line) => /^bash: (line \d+: .*)$/.exec(line)?.[1]);
  const errors = lines.filter((line) => line !== undefined);
  return errors.length > 0 ? errors : ['bash cannot read it'];
}
