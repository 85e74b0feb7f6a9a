import { InstanceBusy } from '../errors.js';

/**
 * Keeps the removal of a server's own files apart from operations on it: both take the instance's lock at some moment, and a start that
 * found it taken would fail. Other processes are kept apart by the lock itself.
 */
export class InstanceTurns {
  private readonly operating = new Map<string, number>();
  private readonly removing = new Map<string, Promise<unknown>>();

  /** Waits for a removal, which is short. */
  async operate<T>(name: string, work: () => Promise<T>): Promise<T> {
    while (this.removing.has(name)) await this.removing.get(name);
    this.operating.set(name, (this.operating.get(name) ?? 0) + 1);
    try {
      return await work();
    } finally {
      const others = (this.operating.get(name) ?? 1) - 1;
      if (others > 0) this.operating.set(name, others);
      else this.operating.delete(name);
    }
  }

  /** @throws InstanceBusy when an operation is under way, or another removal */
  async remove<T>(name: string, work: () => Promise<T>): Promise<T> {
    if (this.operating.has(name)) throw new InstanceBusy(name, 'is being worked on by a job');
    if (this.removing.has(name)) throw new InstanceBusy(name, 'is having other files deleted');
    const working = work();
    this.removing.set(
      name,
      working.catch(() => undefined),
    );
    try {
      return await working;
    } finally {
      this.removing.delete(name);
    }
  }
}
