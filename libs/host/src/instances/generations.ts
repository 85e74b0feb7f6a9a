import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  hasCode,
  makeFolderDurably,
  readLinkIfAny,
  swapLink,
  syncTree,
  temporaryName,
  syncFolder,
} from '../overlay/durable.js';
import { makeWhiteout } from '../overlay/whiteouts.js';
import type { InstanceFolder } from './instance-folder.js';
import { formatSpec, parseSpec, type Spec } from './spec.js';

/**
 * What each initialize prepared, in folders that never change once they have their name: `<k>/spec.yaml` and
 * `<k>/config/`, the topmost layer. The links `next` and `current` choose.
 */
export class Generations {
  constructor(private readonly folder: InstanceFolder) {}

  /** Writes a generation and makes it `next`. What runs, and `current`, stay as they are. */
  async prepare(spec: Spec, whiteouts: boolean): Promise<number> {
    await makeFolderDurably(this.folder.generations());
    const number = ((await this.numbers()).at(-1) ?? 0) + 1;
    const path = this.folder.generation(number);
    const temporary = temporaryName(path);
    try {
      await mkdir(join(temporary, 'config'), { recursive: true });
      await writeFile(join(temporary, 'spec.yaml'), formatSpec(spec), { mode: 0o640 });
      await writeConfig(join(temporary, 'config'), spec, whiteouts);
      await syncTree(temporary);
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      throw error;
    }
    await syncFolder(this.folder.generations());
    // fault point: generation not yet next
    await swapLink(this.folder.next(), `generations/${number}`);
    await this.collect();
    return number;
  }

  /** `next` becomes `current`; older ones go. Only for a server that does not run. Null when nothing was prepared. */
  async adopt(): Promise<number | null> {
    const next = await this.next();
    if (next === null) return this.current();
    if (next !== (await this.current())) await swapLink(this.folder.current(), `generations/${next}`);
    await this.collect();
    return next;
  }

  async next(): Promise<number | null> {
    return numberOf(await readLinkIfAny(this.folder.next()));
  }

  async current(): Promise<number | null> {
    return numberOf(await readLinkIfAny(this.folder.current()));
  }

  /** Throws `InvalidSpec` when the file was damaged. */
  async spec(number: number): Promise<Spec> {
    return parseSpec(await readFile(join(this.folder.generation(number), 'spec.yaml'), 'utf8'));
  }

  /** The generated layer's file; null when it has none. */
  async configFile(number: number, path: string): Promise<string | null> {
    try {
      return await readFile(join(this.folder.generation(number), 'config', path), 'utf8');
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return null;
      throw error;
    }
  }

  /** Removes every generation that neither link names, and what an interrupted prepare left. */
  private async collect(): Promise<void> {
    const kept = [await this.next(), await this.current()].map(String);
    for (const name of await readdir(this.folder.generations())) {
      if (!kept.includes(name)) await rm(join(this.folder.generations(), name), { recursive: true, force: true });
    }
  }

  private async numbers(): Promise<number[]> {
    const names = await readdir(this.folder.generations());
    return names
      .filter((name) => /^[1-9][0-9]*$/.test(name))
      .map(Number)
      .sort((a, b) => a - b);
  }
}

async function writeConfig(config: string, spec: Spec, whiteouts: boolean): Promise<void> {
  for (const { path, content } of spec.files) {
    await mkdir(dirname(join(config, path)), { recursive: true });
    // Passwords are in here; the server, of the same user, is the only one that has to read it.
    await writeFile(join(config, path), content, { mode: 0o640 });
  }
  if (!whiteouts) return; // the copy leaves hidden paths out by itself
  for (const path of spec.hide) {
    await mkdir(dirname(join(config, path)), { recursive: true });
    await makeWhiteout(join(config, path));
  }
}

function numberOf(link: string | null): number | null {
  const match = link === null ? null : /^generations\/([1-9][0-9]*)$/.exec(link);
  return match === null ? null : Number(match[1]);
}
