import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InstanceFolder } from '../instances/instance-folder.js';
import { jobFolder } from '../instances/names.js';
import { hasCode } from '../overlay/durable.js';
import { LayeredTree } from '../trees/layered-tree.js';
import type { OpenedFile } from '../trees/merged-tree.js';

/** More is not listed. */
const MOST_LISTED = 1_000;

/** A server's own copy of a file that gave way to what the layers brought. */
export interface ReplacedFile {
  /** The job that moved it, or when it was started by hand: `by-hand-<ms>`. */
  job: string;
  path: string;
  size: number;
  /** ISO 8601, UTC. */
  replacedAt: string;
}

/** What gave way in the servers of this machine. */
export class ReplacedFiles {
  constructor(private readonly root: string) {}

  /** The latest first, then by path. Links are left out. Missing: none. */
  async list(name: string): Promise<ReplacedFile[]> {
    const items: ReplacedFile[] = [];
    for (const { job, at } of await this.jobs(name)) {
      for await (const entry of this.tree(name, job).walk('')) {
        if ('why' in entry || entry.type !== 'file') continue;
        items.push({ job, path: entry.path, size: entry.size, replacedAt: at.toISOString() });
        if (items.length === MOST_LISTED) return items;
      }
    }
    return items;
  }

  /** The caller closes the file. Throws `NotFound`, `PathRefused`, `InvalidName`. */
  open(name: string, job: string, path: string): Promise<OpenedFile> {
    return this.tree(name, jobFolder(job)).open(path);
  }

  private tree(name: string, job: string): LayeredTree {
    return new LayeredTree([{ kind: 'own', of: null, folder: this.folder(name, job) }]);
  }

  private async jobs(name: string): Promise<{ job: string; at: Date }[]> {
    const jobs: { job: string; at: Date }[] = [];
    for (const job of await namesIn(new InstanceFolder(this.root, name).replaced())) {
      jobs.push({ job, at: (await stat(this.folder(name, job))).birthtime });
    }
    return jobs.sort((one, other) => other.at.getTime() - one.at.getTime());
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
