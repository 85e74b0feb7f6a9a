import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HostError, NotFound } from '../errors.js';
import { InstanceFolder } from '../instances/instance-folder.js';
import { jobFolder } from '../instances/names.js';
import { hasCode } from '../overlay/durable.js';
import { lstatIfAny } from '../overlay/tree-entries.js';
import { LayeredTree } from '../trees/layered-tree.js';
import type { LayeredEntry, OpenedFile, PageRequest } from '../trees/merged-tree.js';

/** A server's own copy of a file that gave way to what the layers brought. */
export interface ReplacedFile {
  /** The job that moved it, or when it was started by hand: `by-hand-<ms>`. */
  job: string;
  path: string;
  size: number;
  /** Where a link points; null for a file. */
  target: string | null;
  /** ISO 8601, UTC. */
  replacedAt: string;
}

export interface ReplacedPage {
  items: ReplacedFile[];
  /** Null at the end. */
  nextCursor: string | null;
}

/** What one adoption has replaced. */
interface Adoption {
  job: string;
  at: Date;
}

/** Behind a file of an adoption, which may be gone meanwhile: the time is in milliseconds. */
interface Place {
  at: number;
  job: string;
  path: string;
}

/** What gave way in the servers of this machine. */
export class ReplacedFiles {
  constructor(private readonly root: string) {}

  /** The latest first, then folder by folder; what was replaced together never changes, so nothing is left out between pages. */
  async list(name: string, { limit, cursor }: PageRequest): Promise<ReplacedPage> {
    const after = cursor === undefined ? null : placeIn(cursor);
    const items: ReplacedFile[] = [];
    for await (const item of this.from(name, after)) {
      const last = items.at(-1);
      if (items.length === limit && last !== undefined) return { items, nextCursor: cursorOf(last) };
      items.push(item);
    }
    return { items, nextCursor: null };
  }

  /** The caller closes the file. Throws `NotFound`, `PathRefused`, `InvalidName`. */
  open(name: string, job: string, path: string): Promise<OpenedFile> {
    return this.tree(name, jobFolder(job)).open(path);
  }

  private tree(name: string, job: string): LayeredTree {
    return new LayeredTree([{ kind: 'own', of: null, folder: this.folder(name, job) }]);
  }

  private async *from(name: string, after: Place | null): AsyncGenerator<ReplacedFile> {
    for (const adoption of await this.adoptions(name)) {
      const { job, at } = adoption;
      if (after !== null && inOrder(adoption, { job: after.job, at: new Date(after.at) }) < 0) continue;
      let passed = after?.job !== job;
      for await (const { path, size, target } of this.below(name, job)) {
        if (passed) yield { job, path, size, target, replacedAt: at.toISOString() };
        passed ||= path === after?.path;
      }
    }
  }

  /** Files and links; none where it was forgotten meanwhile. */
  private async *below(name: string, job: string): AsyncGenerator<LayeredEntry> {
    try {
      for await (const entry of this.tree(name, job).walk('')) {
        if (!('why' in entry) && entry.type !== 'directory') yield entry;
      }
    } catch (error) {
      if (!(error instanceof NotFound)) throw error;
    }
  }

  private async adoptions(name: string): Promise<Adoption[]> {
    const adoptions: Adoption[] = [];
    for (const job of await namesIn(new InstanceFolder(this.root, name).replaced())) {
      const stats = await lstatIfAny(this.folder(name, job));
      if (stats !== null) adoptions.push({ job, at: stats.birthtime });
    }
    return adoptions.sort(inOrder);
  }

  private folder(name: string, job: string): string {
    return join(new InstanceFolder(this.root, name).replaced(), job);
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}

/** The latest first; names tell those of the same moment apart. */
function inOrder(one: Adoption, other: Adoption): number {
  const byTime = other.at.getTime() - one.at.getTime();
  return byTime !== 0 ? byTime : Number(one.job > other.job) - Number(one.job < other.job);
}

function cursorOf({ job, path, replacedAt }: ReplacedFile): string {
  return `${new Date(replacedAt).getTime()}/${job}/${path}`;
}

/** @throws HostError `bad-cursor` */
function placeIn(cursor: string): Place {
  const [, at, job, path] = /^([0-9]{1,15})\/([^/]+)\/(.+)$/s.exec(cursor) ?? [];
  if (job === undefined || path === undefined) {
    throw new HostError('bad-cursor', 'the cursor is not one of an earlier answer');
  }
  return { at: Number(at), job, path };
}
