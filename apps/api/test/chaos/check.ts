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

/**
 * Plays interleavings until one breaks a promise of the queue; then smaller ones, for a while.
 * @throws Error with the smallest one that did, what happened, and how to repeat it
 */
export async function expectKept(fleet: Fleet, choice: Choice): Promise<void> {
  const { name, interleavings, runs, seed, path } = choice;
  const series = new Series(fleet, choice);
  if (path !== null) {
    const [one] = fc.sample(interleavings, { seed, path, numRuns: 1 });
    if (!one) throw new Error(`no interleaving at ${path}`);
    for (let n = 0; n < REPEATS; n++) await series.play(one).catch((cause: unknown) => series.report(path, cause));
    return;
  }
  say(`${runs} interleavings of ${name}, seed ${seed}`);
  const property = fc.asyncProperty(interleavings, (one) => series.play(one));
  const result = await fc.check(property, { seed, numRuns: runs });
  if (result.failed) series.report(result.counterexamplePath ?? '', result.errorInstance);
  say(`no violation in ${runs} interleavings of ${name}, ${series.seconds} s; ${fleet.counted()}`);
}

/** Interleavings played one after the other. */
class Series {
  private readonly began = Date.now();
  private played = 0;
  private failedAt: number | null = null;
  private smallest = '';

  constructor(
    private readonly fleet: Fleet,
    private readonly choice: Choice,
  ) {}

  get seconds(): number {
    return Math.round((Date.now() - this.began) / 1000);
  }

  /** @throws Violation, or whatever else went wrong */
  async play(interleaving: Interleaving): Promise<void> {
    const { name, runs, shrinkSeconds } = this.choice;
    // fast-check looks on for as long as smaller ones fail: from here on none does.
    if (this.failedAt !== null && Date.now() - this.failedAt > shrinkSeconds * 1000) return;
    const course = new Course(this.fleet, interleaving);
    try {
      await course.play();
    } catch (error) {
      if (this.failedAt === null)
        say(`violation in interleaving ${this.played + 1} of ${name}; looking for a smaller one`);
      this.failedAt ??= Date.now();
      const promise = error instanceof Error ? error.message : String(error);
      this.smallest = [promise, written(interleaving), await course.story()].join('\n');
      await this.fleet.reset();
      throw error;
    }
    this.played += 1;
    if (this.played % PROGRESS === 0 && this.failedAt === null) say(`${this.played} of ${runs} (${this.seconds} s)`);
  }

  /** @throws Error always: the smallest violation, and how to repeat it */
  report(path: string, cause: unknown): never {
    const { name, seed } = this.choice;
    const again = `npm run test:chaos -- --only ${name} --seed ${seed} --path ${path}`;
    throw new Error(`${this.smallest}\nto repeat it: ${again}`, { cause });
  }
}

const say = (line: string): void => void process.stderr.write(`chaos: ${line}\n`);
