import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { z } from 'zod';

/** One of the measurement's own processes. */
export interface Program<T> {
  pid: number;
  /** The first thing that it said. */
  said: T;
  stop(): Promise<void>;
}

/**
 * Starts a program of this folder and waits for its first message.
 * @param file compiled, relative to this file
 * @param about what it finds as `task()`
 * @throws when it ends without a message
 */
export async function startProgram<T>(file: string, about: unknown, says: z.ZodType<T>): Promise<Program<T>> {
  const child = fork(new URL(file, import.meta.url), [JSON.stringify(about)]);
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${file} ended before it had said anything`);
  });
  const [message] = await Promise.race([once(child, 'message'), ended]);
  ended.catch(() => undefined);
  if (child.pid === undefined) throw new Error(`${file} did not start`);
  return { pid: child.pid, said: says.parse(message), stop: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.disconnect();
  await exit;
}

/** In the program: what it was started for. */
export function task<T>(schema: z.ZodType<T>): T {
  return schema.parse(JSON.parse(process.argv[2] ?? 'null'));
}

/** In the program: says something to whoever started it. */
export function say(message: unknown): void {
  if (!process.send) throw new Error('nobody listens');
  process.send(message);
}
