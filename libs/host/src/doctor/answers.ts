import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const LIMIT_MS = 10_000;

/** Whether a program ends well, and what it printed; of a failed one the last line of its standard error. */
export async function answers(program: string, args: readonly string[]): Promise<{ well: boolean; said: string }> {
  try {
    const { stdout } = await run(program, args, { timeout: LIMIT_MS, killSignal: 'SIGKILL' });
    return { well: true, said: stdout.trim() };
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
    return { well: false, said: said.split('\n').at(-1) ?? '' };
  }
}
