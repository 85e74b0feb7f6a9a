import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { eventually } from './eventually.js';
import { collect, type StateFolder } from './state-folder.js';

/** A process of the built program that a test starts, kills and starts again. */
export class PanelProcess {
  private child: ChildProcess | null = null;
  /** What it has printed since its last start. */
  said: () => string = () => '';

  constructor(
    readonly folder: StateFolder,
    private readonly command: readonly string[],
    private readonly env: Record<string, string>,
  ) {}

  /** While it runs. */
  get pid(): number {
    if (!this.child?.pid) throw new Error('the process does not run');
    return this.child.pid;
  }

  get running(): boolean {
    return this.child !== null && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Starts it and does not wait. */
  launch(): void {
    const child = this.folder.run(this.command, this.env);
    const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
    this.child = child;
    this.said = () => `${stdout()}${stderr()}`;
  }

  /** Resolves when it says that it runs. */
  async start(): Promise<void> {
    this.launch();
    await eventually(
      'the panel runs',
      () => {
        if (!this.running) throw new Error(`it ended:\n${this.said()}`);
        return this.said().includes('left4me is running');
      },
      60,
    );
  }

  /** Stops it, or kills it. @returns its exit code */
  async end(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<number | null> {
    const { child } = this;
    if (!child) return null;
    if (this.running) {
      const exit = once(child, 'exit');
      child.kill(signal);
      await exit;
    }
    this.child = null;
    return child.exitCode;
  }
}
