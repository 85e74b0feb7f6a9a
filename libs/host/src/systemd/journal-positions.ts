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
  private epochs: Map<string, number> | null = null;

  constructor(private readonly file: string) {}

  async of({ journal, number }: JournalEntry): Promise<string> {
    const epochs = await this.load();
    const epoch = epochs.get(journal) ?? (await this.add(journal, epochs));
    return `${epoch}-${number}`;
  }

  /** What `journalctl --after-cursor` takes; null when the journal of that position is not known (any more). */
  async cursorOf(position: string): Promise<string | null> {
    const match = /^([0-9]{1,15})-([0-9]{1,15})$/.exec(position);
    if (match === null) return null;
    for (const [journal, epoch] of await this.load()) {
      if (epoch === Number(match[1])) return `s=${journal};i=${Number(match[2]).toString(16)}`;
    }
    return null;
  }

  private async add(journal: string, epochs: Map<string, number>): Promise<number> {
    const epoch = Math.max(Math.floor(Date.now() / 1000), ...[...epochs.values()].map((known) => known + 1));
    epochs.set(journal, epoch);
    await mkdir(dirname(this.file), { recursive: true });
    await writeFileDurably(this.file, `${JSON.stringify(Object.fromEntries(epochs), null, 2)}\n`);
    return epoch;
  }

  private async load(): Promise<Map<string, number>> {
    if (this.epochs !== null) return this.epochs;
    try {
      const value: unknown = JSON.parse(await readFile(this.file, 'utf8'));
      const entries = Object.entries(typeof value === 'object' && value !== null ? value : {});
      this.epochs = new Map(entries.filter((entry): entry is [string, number] => typeof entry[1] === 'number'));
    } catch (error) {
      if (!hasCode(error, 'ENOENT') && !(error instanceof SyntaxError)) throw error;
      this.epochs = new Map();
    }
    return this.epochs;
  }
}

/** Whether `a` comes before or is `b`. */
export function isAtMost(a: string, b: string): boolean {
  const [epochA = 0, numberA = 0] = a.split('-').map(Number);
  const [epochB = 0, numberB = 0] = b.split('-').map(Number);
  return epochA < epochB || (epochA === epochB && numberA <= numberB);
}
