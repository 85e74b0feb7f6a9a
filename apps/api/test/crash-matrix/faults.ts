import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../eventually.js';

const FAULT_POINTS = new URL('fault-points.mjs', import.meta.url).href;
const NEVER_HIT_S = 45;

interface Armed {
  point: string;
  /** die: stops there until it is killed; hold: waits there until it is released. */
  action: 'die' | 'hold';
  /** Stops only this long after the point was passed. */
  afterMs?: number;
}

/** The fault points of one process: which one it stops at is told through files, since it is not started anew for each. */
export class Faults {
  private count = 0;

  private constructor(private readonly folder: string) {}

  static async in(folder: string): Promise<Faults> {
    await mkdir(folder, { recursive: true });
    await chmod(folder, 0o777);
    return new Faults(folder);
  }

  /** What the process has to be started with. */
  get env(): Record<string, string> {
    return { NODE_OPTIONS: `--import ${FAULT_POINTS}`, LEFT4ME_TEST_FAULTS: this.folder };
  }

  /** The next time the process passes the point, it stops there. If it is held somewhere, it goes on, to there. */
  async arm(armed: Armed): Promise<void> {
    const held = this.file(`hold-${this.count}`);
    this.count += 1;
    if (armed.action === 'hold') await writeFile(this.file(`hold-${this.count}`), '');
    const temporary = this.file('arming');
    await writeFile(temporary, JSON.stringify({ afterMs: 0, ...armed, id: this.count }));
    await rename(temporary, this.file('armed'));
    await rm(held, { force: true });
  }

  /** Resolves when the process has stopped at the point. @throws when it never comes there */
  async reached(point: string, seconds = NEVER_HIT_S): Promise<void> {
    const reached = this.file(`reached-${this.count}`);
    const there = () => readFile(reached).then(Boolean, () => false);
    await eventually(`the process passes the fault point "${point}"`, there, seconds);
  }

  /** A process that is held goes on, and nothing stops it any more. */
  async release(): Promise<void> {
    await rm(this.file('armed'), { force: true });
    await rm(this.file(`hold-${this.count}`), { force: true });
  }

  private file(name: string): string {
    return join(this.folder, name);
  }
}
