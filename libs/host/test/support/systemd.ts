import { mkdir } from 'node:fs/promises';
import { CommandRecords } from '../../src/process/command-records.js';
import { CommandRunner } from '../../src/process/command-runner.js';
import { ControlGroups } from '../../src/systemd/cgroup.js';
import { EndRecords } from '../../src/systemd/end-records.js';
import type { JournalEntry } from '../../src/systemd/journal-entry.js';
import { JournalFollower } from '../../src/systemd/journal-follower.js';
import { JournalLogs } from '../../src/systemd/journal-logs.js';
import { JournalPositions } from '../../src/systemd/journal-positions.js';
import { LogBegins } from '../../src/systemd/log-begins.js';
import { SystemdManager } from '../../src/systemd/systemd-manager.js';
import { UnitControl } from '../../src/systemd/unit-control.js';
import { unitOf } from '../../src/systemd/unit-names.js';
import { UnitStates } from '../../src/systemd/unit-states.js';
import { makeRoot } from './fixture.js';

export const JOURNAL = 'a'.repeat(32);

/** What `systemctl show` tells of a unit, by property. */
type Unit = Record<string, string>;

/** Stands in for systemd and journald: what busctl, systemctl and journalctl answer is what a test has set. */
export class StandInSystemd {
  readonly units = new Map<string, Unit>();
  readonly entries: JournalEntry[] = [];
  /** The programs and words asked for, `sudo systemctl` as `enable alpha`. */
  readonly asked: string[] = [];
  /** What happens on `enable alpha`, `disable alpha` and `reset-failed alpha`. */
  onControl: (word: string, name: string) => void = () => undefined;
  /** Histories that are read at this moment, and the most there ever were. */
  reading = 0;
  mostReading = 0;
  /** Ran before each server's history is told. */
  beforeHistory: () => Promise<void> = () => Promise.resolve();
  private readonly followers = new Set<{ hear: (entry: JournalEntry) => void; fail: (error: Error) => void }>();

  set(name: string, change: Unit): void {
    const none = { Id: unitOf(name), ActiveState: 'inactive', SubState: 'dead', Result: 'success', MainPID: '0' };
    this.units.set(name, { ...none, ExecMainCode: '0', ExecMainStatus: '0', ...this.units.get(name), ...change });
  }

  /** A line of the journal, or with `event` what systemd says itself. */
  print(
    server: string,
    line: string,
    { journal = JOURNAL, event = false, number = this.entries.length + 1, at = new Date() } = {},
  ): void {
    const cursor = `s=${journal};i=${number.toString(16)}`;
    const stream = event ? 'stderr' : 'stdout';
    const entry = { server, cursor, journal, number, stream, line, at: at.toISOString(), event } as const;
    this.entries.push(entry);
    for (const follower of this.followers) follower.hear(entry);
  }

  /** Ends every `journalctl --follow`. */
  endFollowers(): void {
    for (const { fail } of this.followers) fail(new Error('journalctl was killed'));
  }

  get following(): number {
    return this.followers.size;
  }

  readonly ask = (program: string, args: readonly string[]): Promise<string> => {
    this.asked.push(program);
    if (program === 'busctl') {
      const units = [...this.units.values()].map((unit) => {
        const { Id = '', ActiveState = '', SubState = '', Job } = unit;
        return [Id, 'Left 4 Dead 2 server', 'loaded', ActiveState, SubState, '', '/', Number(Job ?? 0), '', '/'];
      });
      return Promise.resolve(JSON.stringify({ type: 'a(ssssssouso)', data: [units] }));
    }
    const shown = [...this.units.values()].filter(({ Id = '' }) => args.includes(Id));
    const blocks = shown.map((unit) => Object.entries(unit).map(([key, value]) => `${key}=${value}\n`));
    return Promise.resolve(blocks.map((lines) => lines.join('')).join('\n'));
  };

  readonly journalctl = (args: readonly string[], signal?: AbortSignal): AsyncIterable<JournalEntry> => {
    this.asked.push(`journalctl ${args.join(' ')}`);
    return args.includes('--follow') ? this.follow(args, signal) : this.history(args);
  };

  private async *history(args: readonly string[]): AsyncGenerator<JournalEntry> {
    this.mostReading = Math.max(this.mostReading, ++this.reading);
    try {
      const server = /left4me-server@(.+)\.service/.exec(args.join('\n'))?.[1]?.split('\n')[0];
      if (server !== undefined) await this.beforeHistory();
      const found = this.after(args).filter((entry) => server === undefined || entry.server === server);
      const lines = args.find((arg) => arg.startsWith('--lines='))?.slice('--lines='.length);
      yield* lines === undefined ? found : found.slice(-Number(lines));
    } finally {
      this.reading--;
    }
  }

  private after(args: readonly string[]): JournalEntry[] {
    const after = args.find((arg) => arg.startsWith('--after-cursor='))?.slice('--after-cursor='.length);
    return this.entries.slice(after === undefined ? 0 : this.entries.findIndex(({ cursor }) => cursor === after) + 1);
  }

  private async *follow(args: readonly string[], signal: AbortSignal | undefined): AsyncGenerator<JournalEntry> {
    const heard = this.after(args);
    const failures: Error[] = [];
    let wake = (): void => undefined;
    const follower = {
      hear: (entry: JournalEntry) => {
        heard.push(entry);
        wake();
      },
      fail: (error: Error) => {
        failures.push(error);
        wake();
      },
    };
    this.followers.add(follower);
    signal?.addEventListener('abort', () => wake(), { once: true });
    try {
      for (;;) {
        if (signal?.aborted) return;
        yield* heard.splice(0);
        for (const failure of failures) throw failure;
        if (heard.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      this.followers.delete(follower);
    }
  }
}

class StandInControl extends UnitControl {
  constructor(
    private readonly systemd: StandInSystemd,
    root: string,
  ) {
    super(new CommandRunner(false, new CommandRecords(`${root}/cache/commands`)));
  }

  override enable(name: string): Promise<void> {
    return this.told('enable', name);
  }

  override disable(name: string): Promise<void> {
    return this.told('disable', name);
  }

  override resetFailed(name: string): Promise<void> {
    return this.told('reset-failed', name);
  }

  private told(word: string, name: string): Promise<void> {
    this.systemd.asked.push(`${word} ${name}`);
    this.systemd.onControl(word, name);
    return Promise.resolve();
  }
}

export interface TestSystemd {
  root: string;
  systemd: StandInSystemd;
  units: UnitStates;
  follower: JournalFollower;
  positions: JournalPositions;
  begins: LogBegins;
  logs: JournalLogs;
  manager: SystemdManager;
}

/** The systemd service manager on a stand-in, in a folder of its own. */
export async function openTestSystemd(): Promise<TestSystemd> {
  const root = await makeRoot();
  const systemd = new StandInSystemd();
  const units = new UnitStates(new EndRecords(root), systemd.ask, new ControlGroups(`${root}/cgroup`));
  const follower = new JournalFollower(systemd.journalctl);
  const positions = new JournalPositions(`${root}/cache/journal-epochs.json`);
  const begins = new LogBegins(root, systemd.journalctl);
  const logs = new JournalLogs(follower, positions, begins, systemd.journalctl);
  const manager = new SystemdManager(root, new StandInControl(systemd, root), units, follower, logs, begins);
  return { root, systemd, units, follower, positions, begins, logs, manager };
}

/** Makes the folder of an instance, as far as its log needs one. */
export async function makeInstance({ root, manager }: TestSystemd, name: string): Promise<void> {
  await mkdir(`${root}/instances/${name}`, { recursive: true });
  await manager.beginLog(name, new AbortController().signal);
}
