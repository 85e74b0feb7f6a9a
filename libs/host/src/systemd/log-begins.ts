import { readFile } from 'node:fs/promises';
import { Interrupted, TimedOut } from '../errors.js';
import { InstanceFolder } from '../instances/instance-folder.js';
import { hasCode, writeFileDurably } from '../overlay/durable.js';
import { timeLimit } from '../process/time-limit.js';
import { ofServer, type JournalEntry } from './journal-entry.js';
import type { Journalctl } from './journalctl.js';

/** A journal that is large, or was damaged, may take a while; one that does not answer would hold its job for ever. */
const LIMIT_MS = 60_000;
const READING = 'reading the journal';

/** The newest entry of the name when its instance was made; `journal` null: there was none. */
interface LogBegin {
  journal: string | null;
  number: number;
  at: string;
}

/**
 * Where each instance's log begins. The journal knows names of units only, and keeps what they said after the instance was deleted:
 * the next one of that name may be somebody else's. So each instance has a record of what was there before it, which goes with it.
 */
export class LogBegins {
  constructor(
    private readonly root: string,
    private readonly journal: Journalctl,
    private readonly limitMs = LIMIT_MS,
  ) {}

  /**
   * Whatever the journal holds of this name now is not this instance's. One that has its record keeps it. Throws `Interrupted`,
   * `TimedOut`, and what journalctl throws.
   */
  async mark(name: string, signal: AbortSignal): Promise<void> {
    if ((await this.read(name)) !== null) return;
    const begin: LogBegin = { journal: null, number: 0, at: new Date().toISOString() };
    const late = timeLimit(this.limitMs);
    const newest = this.journal(['--lines=1', ...ofServer(name)], AbortSignal.any([signal, late]));
    for await (const { journal, number } of newest) {
      begin.journal = journal;
      begin.number = number;
    }
    // Its end may be the signal's.
    if (signal.aborted) throw new Interrupted(READING);
    if (late.aborted) throw new TimedOut(READING, this.limitMs);
    await writeFileDurably(this.path(name), `${JSON.stringify(begin)}\n`, 0o640);
  }

  /** Tells which entries are this instance's; null when there is none, and nothing in the journal is its own. */
  async of(name: string): Promise<((entry: JournalEntry) => boolean) | null> {
    const begin = await this.read(name);
    if (begin === null) return null;
    return ({ journal, number, at }) => {
      if (begin.journal === null) return true;
      // Numbers do not step back as clocks do, but each journal counts for itself.
      return journal === begin.journal ? number > begin.number : at > begin.at;
    };
  }

  private path(name: string): string {
    return new InstanceFolder(this.root, name).logBegin();
  }

  /** A damaged one is none: better no log than somebody else's. */
  private async read(name: string): Promise<LogBegin | null> {
    let value: unknown;
    try {
      value = JSON.parse(await readFile(this.path(name), 'utf8'));
    } catch (error) {
      if (hasCode(error, 'ENOENT') || error instanceof SyntaxError) return null;
      throw error;
    }
    const { journal, number, at }: Record<keyof LogBegin, unknown> = Object(value);
    if (typeof number !== 'number' || typeof at !== 'string') return null;
    return journal === null || typeof journal === 'string' ? { journal, number, at } : null;
  }
}
