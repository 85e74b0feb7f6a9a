import { readFile } from 'node:fs/promises';
import type { NewestBuild } from '../host.js';
import { hasCode, writeFileDurably } from '../overlay/durable.js';

/** What Steam said last, kept in a file: being asked takes it half a minute. */
export class NewestKnown {
  constructor(private readonly path: string) {}

  /** Null when Steam was never asked, or the file was damaged. */
  async read(): Promise<NewestBuild | null> {
    try {
      return parseNewest(JSON.parse(await readFile(this.path, 'utf8')));
    } catch (error) {
      if (hasCode(error, 'ENOENT') || error instanceof SyntaxError) return null;
      throw error;
    }
  }

  async write(build: string): Promise<NewestBuild> {
    const newest = { build, seenAt: new Date().toISOString() };
    await writeFileDurably(this.path, `${JSON.stringify(newest)}\n`);
    return newest;
  }
}

function parseNewest(value: unknown): NewestBuild | null {
  if (typeof value !== 'object' || value === null) return null;
  if (!('build' in value) || typeof value.build !== 'string' || !('seenAt' in value)) return null;
  return typeof value.seenAt === 'string' ? { build: value.build, seenAt: value.seenAt } : null;
}
