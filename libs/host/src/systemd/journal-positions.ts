import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode, writeFileDurably } from '../overlay/durable.js';
import type { JournalEntry } from './journal-entry.js';

/**
 * Positions of log lines, `<epoch>-<number>`: strictly increasing for ever, though a journal that was emptied counts from 1
 * again. An epoch is the Unix time in seconds at which a journal was first met (or 1 more than the last one), kept in a
 * file.
 */
export class JournalPositions {
  private epochs: Promise<Map<string, number>> | null = null;
  private adding: Promise<unknown> = Promise.resolve();

  constructor(private readonly file: string) {}

  async of({ journal, number }: JournalEntry): Promise<string> {
    const epoch = (await this.known()).get(journal) ?? (await this.add(journal));
    return `${epoch}-${number}`;
  }

  /** What `journalctl --after-cursor` takes; null when the journal of that position is not known (any more). */
  async cursorOf(position: string): Promise<string | null> {
    const place = parse(position);
    if (place === null) return null;
    for (const [journal, epoch] of await this.known()) {
      if (epoch === place.epoch) return `s=${journal};i=${place.number.toString(16)}`;
    }
    return null;
  }

  /** Whether it was not given here: its epoch is newer than all that are known. */
  async isAhead(position: string): Promise<boolean> {
    const place = parse(position);
    const isNewest = (epochs: ReadonlyMap<string, number>): boolean =>
      place !== null && [...epochs.values()].every((epoch) => epoch < place.epoch);
    // Another process may have met a new journal in the meantime.
    return isNewest(await this.known()) && isNewest(await this.reload());
  }

  /** One after the other, and upon what other processes (the worker, `l4d2ctl logs`) have added. */
  private add(journal: string): Promise<number> {
    const added = this.adding.then(async () => {
      const epochs = await this.reload();
      const known = epochs.get(journal);
      if (known !== undefined) return known;
      const epoch = Math.max(Math.floor(Date.now() / 1000), ...[...epochs.values()].map((other) => other + 1));
      await mkdir(dirname(this.file), { recursive: true });
      const text = JSON.stringify(Object.fromEntries([...epochs, [journal, epoch]]), null, 2);
      await writeFileDurably(this.file, `${text}\n`);
      epochs.set(journal, epoch);
      return epoch;
    });
    this.adding = added.catch(() => undefined);
    return added;
  }

  private known(): Promise<Map<string, number>> {
    return this.epochs ?? this.reload();
  }

  private reload(): Promise<Map<string, number>> {
    const epochs = this.read();
    this.epochs = epochs;
    epochs.catch(() => (this.epochs = null));
    return epochs;
  }

  private async read(): Promise<Map<string, number>> {
    try {
      const value: unknown = JSON.parse(await readFile(this.file, 'utf8'));
      const entries = Object.entries(typeof value === 'object' && value !== null ? value : {});
      return new Map(entries.filter((entry): entry is [string, number] => typeof entry[1] === 'number'));
    } catch (error) {
      if (!hasCode(error, 'ENOENT') && !(error instanceof SyntaxError)) throw error;
      return new Map();
    }
  }
}

function parse(position: string): { epoch: number; number: number } | null {
  const match = /^([0-9]{1,15})-([0-9]{1,15})$/.exec(position);
  return match === null ? null : { epoch: Number(match[1]), number: Number(match[2]) };
}

/** Whether `a` comes before or is `b`. */
export function isAtMost(a: string, b: string): boolean {
  const [epochA = 0, numberA = 0] = a.split('-').map(Number);
  const [epochB = 0, numberB = 0] = b.split('-').map(Number);
  return epochA < epochB || (epochA === epochB && numberA <= numberB);
}
