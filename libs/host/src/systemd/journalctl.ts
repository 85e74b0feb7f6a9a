import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { HostError } from '../errors.js';
import { CLEAN_ENV } from '../process/clean-environment.js';
import { parseEntry, FIELDS, type JournalEntry } from './journal-entry.js';

const OUTPUT = ['--quiet', '--no-pager', '--output=json', `--output-fields=${FIELDS}`, '--all'] as const;

/** See `journalctl`. */
export type Journalctl = (args: readonly string[], signal?: AbortSignal) => AsyncIterable<JournalEntry>;

/**
 * Entries about servers from one journalctl, in order. It ends with the entries (or never, with `--follow`), with the
 * signal, and with this process. Throws `HostError` (`journal-unreadable`) when journalctl fails.
 */
export async function* journalctl(
  args: readonly string[],
  signal?: AbortSignal,
  program = 'journalctl',
): AsyncGenerator<JournalEntry> {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...OUTPUT, ...args], {
    env: CLEAN_ENV,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  ended.catch(() => undefined); // awaited below, unless reading fails first
  const kill = (): void => void child.kill('SIGKILL');
  signal?.addEventListener('abort', kill, { once: true });
  if (signal?.aborted) kill();
  try {
    for await (const line of createInterface({ input: child.stdout, crlfDelay: Infinity })) {
      const entry = parseEntry(line);
      if (entry !== null) yield entry;
    }
    const code = await ended;
    if (code !== 0 && !signal?.aborted) {
      throw new HostError(
        'journal-unreadable',
        `journalctl failed: ${said.trim().split('\n').at(-1) || `code ${code}`}`,
      );
    }
  } finally {
    signal?.removeEventListener('abort', kill);
    kill();
  }
}
