import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { RunningSettings } from '../../src/config/settings.js';
import { told, type Question, type Told, type Telling } from './messages.js';

const PROGRAM = fileURLToPath(new URL('member.mjs', import.meta.url));
const ANSWER_MS = 60_000;
/** Longest time to start, and to end in an orderly way. */
const TURN_MS = 60_000;
const WORDS = 30;

/** A question was answered with an error; `conflict`: the panel said 409. */
export class Refused extends Error {
  constructor(
    message: string,
    readonly conflict: boolean,
  ) {
    super(message);
  }
}

export interface MemberEvents {
  told(by: string, message: Told): void;
  gone(by: string, at: number): void;
}

interface Waiting {
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
}

/** Milliseconds of the clock that all processes share. */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6;

/** A process of the fleet, which may be killed and started again. */
export class Member {
  private child: ChildProcess | null = null;
  private ended: Promise<void> = Promise.resolve();
  private readonly waiting = new Map<number, Waiting>();
  private calls = 0;
  private starts = 0;
  private wanted = false;
  /** The last lines it wrote to stderr and stdout. */
  words: string[] = [];
  /** It ended although nobody had ended it. */
  collapsed = false;

  constructor(
    readonly name: string,
    private readonly settings: RunningSettings,
    private readonly events: MemberEvents,
  ) {}

  get up(): boolean {
    return this.child !== null;
  }

  /** It is there and nobody has told it to end: it answers. */
  get serving(): boolean {
    return this.up && this.wanted;
  }

  /** Resolves when it serves; does nothing when it does already. */
  async start(): Promise<void> {
    if (this.child) return;
    this.wanted = true;
    this.starts += 1;
    // Each life has a name of its own in the record.
    const life = `${this.name}#${this.starts}`;
    const child = fork(PROGRAM, [JSON.stringify(this.settings)], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: [],
    });
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => this.hear(String(data)));
    const serving = new Promise<void>((resolve, reject) => {
      child.on('message', (message) => {
        const parsed = told.parse(message);
        if (parsed.kind === 'serving') resolve();
        else if (parsed.kind === 'answer') this.settle(parsed.call, (one) => one.resolve(parsed.value));
        else if (parsed.kind === 'refusal')
          this.settle(parsed.call, (one) => one.reject(new Refused(parsed.text, parsed.conflict)));
        else this.events.told(life, parsed);
      });
      child.on('exit', () => reject(new Error(`${this.name} did not start:\n${this.words.join('\n')}`)));
    });
    // What it had sent before it ended is read before the channel closes.
    const exit = new Promise<void>((resolve) => child.on('exit', () => resolve()));
    const closed = new Promise<void>((resolve) => child.on('disconnect', () => resolve()));
    this.ended = Promise.all([exit, closed]).then(() => {
      if (this.wanted) this.collapsed = true;
      this.child = null;
      this.events.gone(life, now());
      for (const one of this.waiting.values()) one.reject(new Refused(`${this.name} ended`, false));
      this.waiting.clear();
    });
    await this.within(serving, 'start');
  }

  /** kill -9; resolves when all that it had told is known. */
  async kill(): Promise<void> {
    this.wanted = false;
    this.child?.kill('SIGKILL');
    await this.ended;
  }

  /** Ends it in an orderly way. */
  async leave(): Promise<void> {
    this.wanted = false;
    this.tell({ kind: 'close' });
    await this.within(this.ended, 'end');
  }

  tell(message: Telling): void {
    if (this.child?.connected) this.child.send(message, () => undefined);
  }

  /** @throws Refused when it is answered with an error, or the process ends before it answers */
  async ask(question: Question): Promise<unknown> {
    if (!this.child) throw new Refused(`${this.name} is not there`, false);
    this.calls += 1;
    const call = this.calls;
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () => this.settle(call, (one) => one.reject(new Error(`${this.name} does not answer ${question.kind}`))),
        ANSWER_MS,
      );
      const over = (): void => clearTimeout(late);
      this.waiting.set(call, {
        resolve: (value) => (over(), resolve(value)),
        reject: (error) => (over(), reject(error)),
      });
      this.tell({ ...question, call });
    });
  }

  private async within(turn: Promise<void>, what: string): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${this.name} does not ${what}:\n${this.words.join('\n')}`)), TURN_MS);
    });
    await Promise.race([turn, late]).finally(() => clearTimeout(timer));
  }

  private settle(call: number, how: (one: Waiting) => void): void {
    const one = this.waiting.get(call);
    this.waiting.delete(call);
    if (one) how(one);
  }

  private hear(text: string): void {
    this.words = [...this.words, ...text.trimEnd().split('\n')].slice(-WORDS);
  }
}
