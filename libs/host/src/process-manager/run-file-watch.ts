import { type FSWatcher, watch } from 'node:fs';
import { basename } from 'node:path';
import { InstanceFolder } from '../instances/instance-folder.js';
import { hasCode } from '../overlay/durable.js';

/**
 * Notices at once when a supervisor writes what became of its server. Only a hint: a supervisor that was killed writes nothing, and
 * where the kernel has no watch left, nothing is noticed.
 */
export class RunFileWatch {
  private readonly watchers = new Map<string, FSWatcher>();
  /** Something has changed since the last wait. */
  private changed = false;
  private wake = (): void => undefined;

  constructor(private readonly root: string) {}

  /** Waits for a change since the last wait, at most so long, or until the signal aborts. @param names the instances there are */
  async wait(names: Iterable<string>, mostMs: number, signal: AbortSignal): Promise<void> {
    this.watch(new Set(names));
    if (!this.changed && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, mostMs);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
        signal.addEventListener('abort', this.wake, { once: true });
      });
      signal.removeEventListener('abort', this.wake);
    }
    this.changed = false;
  }

  close(): void {
    this.watch(new Set());
  }

  private watch(names: ReadonlySet<string>): void {
    for (const [name, watcher] of this.watchers) {
      if (names.has(name)) continue;
      watcher.close();
      this.watchers.delete(name);
    }
    for (const name of names) if (!this.watchers.has(name)) this.open(name);
  }

  private open(name: string): void {
    const folder = new InstanceFolder(this.root, name);
    try {
      const watcher = watch(folder.path, (_, file) => {
        if (file !== basename(folder.runFile())) return;
        this.changed = true;
        this.wake();
      });
      // Its folder is gone, or another one by now: it is opened anew.
      watcher.on('error', () => this.drop(name, watcher));
      this.watchers.set(name, watcher);
    } catch (error) {
      if (!hasCode(error, 'ENOENT', 'ENOSPC', 'EMFILE')) throw error;
    }
  }

  private drop(name: string, watcher: FSWatcher): void {
    watcher.close();
    if (this.watchers.get(name) === watcher) this.watchers.delete(name);
  }
}
