import fc from 'fast-check';
import { Course } from './course.js';
import type { Fleet } from './fleet.js';
import { type Interleaving, written } from './steps.js';

/** How often a single interleaving is tried: what happens at the same time does not happen the same way each time. */
const REPEATS = 20;
const PROGRESS = 50;

export interface Choice {
  name: string;
  interleavings: fc.Arbitrary<Interleaving>;
  runs: number;
  seed: number;
  /** Of an interleaving that is to be repeated, as a violation told it. */
  path: string | null;
  /** How long smaller interleavings are looked for after a violation. */
  shrinkSeconds: number;
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/**
 * Plays interleavings until one breaks a promise of the queue; then smaller ones, for a while.
 * @throws Error with the smallest one, what happened, and how to repeat it
 */
export async function expectKept(
  fleet: Fleet,
  { name, interleavings, runs, seed, path, shrinkSeconds }: Choice,
): Promise<void> {
  const began = Date.now();
  let played = 0;
  let failedAt: number | null = null;
  let smallest = '';
  say(`chaos: ${runs} interleavings of ${name}, seed ${seed}`);
  const property = fc.asyncProperty(interleavings, async (interleaving) => {
    // fast-check goes on for as long as smaller ones fail: from here on none does.
    if (failedAt !== null && Date.now() - failedAt > shrinkSeconds * 1000) return;
    const course = new Course(fleet, interleaving);
    try {
      await course.play();
    } catch (error) {
      failedAt ??= Date.now();
      smallest = `${error instanceof Error ? error.message : String(error)}\n${written(interleaving)}\n${await course.story()}`;
      if (played >= 0) say(`chaos: violation after ${played + 1} interleavings of ${name}; looking for a smaller one`);
      played = -1;
      await fleet.reset();
      throw error;
    }
    if (failedAt !== null) return;
    played += 1;
    if (played % PROGRESS === 0) say(`chaos: ${played} of ${runs} (${Math.round((Date.now() - began) / 1000)} s)`);
  });
  const repeats = path === null ? 1 : REPEATS;
  for (let n = 0; n < repeats; n++) {
    const result = await fc.check(property, {
      seed,
      numRuns: runs,
      ...(path === null ? {} : { path, endOnFailure: true }),
    });
    if (!result.failed) continue;
    const again = `npm run test:chaos -- --only ${name.replaceAll(' ', '-')} --seed ${result.seed} --path ${result.counterexamplePath}`;
    throw new Error(`${smallest}\nto repeat it: ${again}`, { cause: result.errorInstance });
  }
  say(
    `chaos: ${name}: no violation in ${Math.max(played, 0)} interleavings, ${Math.round((Date.now() - began) / 1000)} s`,
  );
}
