import { join } from 'node:path';
import { instanceName } from './names.js';

/** Where the parts of one instance are, below LEFT4ME_ROOT. Throws `InvalidName`. */
export class InstanceFolder {
  readonly path: string;

  constructor(
    root: string,
    readonly name: string,
  ) {
    this.path = join(instancesFolder(root), instanceName(name));
  }

  /** Held by whoever watches over the server; held = alive. */
  readonly lock = (): string => join(this.path, 'lock');
  readonly runFile = (): string => join(this.path, 'run.json');
  readonly stopFile = (): string => join(this.path, 'stop.json');
  /** Under systemd: where in the journal its log begins. */
  readonly logBegin = (): string => join(this.path, 'log-begin.json');
  readonly logs = (): string => join(this.path, 'log');
  readonly generations = (): string => join(this.path, 'generations');
  readonly generation = (number: number): string => join(this.generations(), String(number));
  /** Links to `generations/<number>`. */
  readonly next = (): string => join(this.path, 'next');
  readonly current = (): string => join(this.path, 'current');
  /** What the server wrote itself. */
  readonly upper = (): string => join(this.path, 'upper');
  /** What gave way to a change of the layers, by job. */
  readonly replaced = (): string => join(this.path, 'replaced');
  /** overlayfs's own. */
  readonly work = (): string => join(this.path, 'work');
  /** Mount point, empty outside of the server's namespaces. */
  readonly merged = (): string => join(this.path, 'merged');
  /** Copy fallback: the composed tree and what it was composed from. */
  readonly copy = (): string => join(this.path, 'copy');
  /** What somebody deleted of the server's own files, until it is gone from the disk. */
  readonly removed = (): string => join(this.path, 'removed');
  readonly copyManifest = (): string => join(this.path, 'copy.json');
}

export function instancesFolder(root: string): string {
  return join(root, 'instances');
}
