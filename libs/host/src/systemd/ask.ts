import { execFile } from 'node:child_process';
import { HostError } from '../errors.js';
import { CLEAN_ENV } from '../process/clean-environment.js';

const LIMIT_MS = 10_000;
const MAX_BYTES = 16 * 1024 * 1024;

/** See `ask`. */
export type Ask = (program: string, args: readonly string[]) => Promise<string>;

/**
 * What a program that only reads printed. Throws `HostError` (`systemd-unreadable`) with its last words when it fails or
 * takes longer than 10 s.
 */
export function ask(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env: CLEAN_ENV, timeout: LIMIT_MS, killSignal: 'SIGKILL', maxBuffer: MAX_BYTES } as const;
    execFile(program, args, options, (error, out, err) => {
      if (error === null) return resolve(out);
      const said = err.trim().split('\n').at(-1) || error.message;
      reject(new HostError('systemd-unreadable', `${program} failed: ${said}`, { cause: error }));
    });
  });
}
