import { mkdir, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { NoRuntime } from '../errors.js';
import type { RuntimeBuild } from '../host.js';
import { buildName } from '../instances/names.js';
import { hasCode, readLinkIfAny, swapLink, syncFolder, temporaryName, writeFileDurably } from '../overlay/durable.js';
import { removeTree } from '../overlay/remove-tree.js';

/** What is known of a build, in `installation/<build>.json` beside it: inside it, servers would see it. */
export interface BuildRecord extends RuntimeBuild {
  /** Of what it was made from; equal means that there is nothing to do. */
  contentHash: string;
}

/** installation/<build>/, each written once under another name and then renamed; `current` is a link. */
export class Builds {
  readonly folder: string;

  constructor(root: string) {
    this.folder = join(root, 'installation');
  }

  path(build: string): string {
    return join(this.folder, buildName(build));
  }

  async current(): Promise<string | null> {
    return readLinkIfAny(join(this.folder, 'current'));
  }

  /** The one asked for, or the current one. Throws `NoRuntime`. */
  async require(build?: string): Promise<string> {
    const wanted = build ?? (await this.current());
    if (wanted === null || !(await this.exists(wanted))) throw new NoRuntime(wanted ?? undefined);
    return wanted;
  }

  async exists(build: string): Promise<boolean> {
    try {
      return (await stat(this.path(build))).isDirectory();
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return false;
      throw error;
    }
  }

  /** Newest first. */
  async list(): Promise<BuildRecord[]> {
    const names = await readdir(this.folder).catch(() => []);
    const records = await Promise.all(
      names.filter((name) => name.endsWith('.json')).map((name) => this.record(name.slice(0, -'.json'.length))),
    );
    return records.filter((record) => record !== null).sort((a, b) => b.installedAt.localeCompare(a.installedAt));
  }

  /** Null unless both the record and the folder are there. */
  async record(build: string): Promise<BuildRecord | null> {
    if (!(await this.exists(build))) return null;
    try {
      return parseBuild(build, JSON.parse(await readFile(join(this.folder, `${build}.json`), 'utf8')));
    } catch (error) {
      if (hasCode(error, 'ENOENT') || error instanceof SyntaxError) return null;
      throw error;
    }
  }

  /**
   * Gives a finished folder, which is on the disk by now, its build's name. The record comes first: a folder without one is one whose
   * install was interrupted.
   */
  async publish(temporary: string, record: BuildRecord): Promise<void> {
    const path = this.path(record.build);
    await this.writeRecord(record);
    await removeTree(path); // of an install that was interrupted before it had a record
    // fault point: build not yet named
    await rename(temporary, path);
    await syncFolder(this.folder);
  }

  /** The caller has made sure that nothing uses it. Missing: success. */
  async remove(build: string): Promise<void> {
    const path = this.path(build);
    const temporary = temporaryName(path);
    try {
      await rename(path, temporary); // at once: half a build must not have a build's name
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
    await rm(`${path}.json`, { force: true });
    await removeTree(temporary);
  }

  async makeCurrent(build: string): Promise<void> {
    if ((await this.current()) !== build) await swapLink(join(this.folder, 'current'), buildName(build));
  }

  /** What is known of a build, also of one whose folder has lost its record. */
  async writeRecord(record: BuildRecord): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    await writeFileDurably(join(this.folder, `${record.build}.json`), `${JSON.stringify(record, null, 2)}\n`);
  }
}

function parseBuild(build: string, value: unknown): BuildRecord | null {
  if (typeof value !== 'object' || value === null) return null;
  const fields: Record<string, unknown> = Object.fromEntries(Object.entries(value));
  const { installedAt, demo, bytes, contentHash } = fields;
  if (typeof installedAt !== 'string' || typeof bytes !== 'number' || typeof contentHash !== 'string') return null;
  return { build, installedAt, demo: demo === true, bytes, contentHash };
}
