import { execFile } from 'node:child_process';

const LIMIT_MS = 5000;

/** What systemd gives a service that is to tell how it is; nothing elsewhere. */
export type NoticeEnvironment = Partial<Record<'NOTIFY_SOCKET' | 'WATCHDOG_USEC' | 'WATCHDOG_PID', string>>;

/**
 * Tells systemd how this process is (sd_notify(3): READY, WATCHDOG, STOPPING) where it asks for that. Node has no datagrams on Unix
 * sockets, so systemd-notify(1) sends them; the unit needs NotifyAccess=all.
 */
export class ServiceNotice {
  private watchdog: NodeJS.Timeout | null = null;
  /** What the watchdog is just being told. */
  private sign: Promise<unknown> | null = null;

  constructor(
    private readonly env: NoticeEnvironment,
    private readonly warn: (sentence: string) => void,
  ) {}

  /** systemd started this process and waits for word of it. (INVOCATION_ID says less: a desktop's terminals have it too.) */
  get wanted(): boolean {
    return Boolean(this.env.NOTIFY_SOCKET);
  }

  /**
   * The process is of use now.
   * @param alive asked as often as systemd's watchdog wants to hear of it; while it is false systemd is told nothing, and in the end
   *   starts the process anew. A stuck event loop asks nothing.
   */
  async ready(status: string, alive: () => boolean): Promise<void> {
    const failure = await this.send('--ready', `--status=${status}`);
    if (failure !== null) this.warn(`systemd could not be told that left4me runs: ${failure}`);
    const everyMs = this.watchdogMs() / 3;
    if (!(everyMs > 0)) return;
    this.watchdog = setInterval(() => {
      // On a busy machine one may not have got through when the next is due.
      if (this.sign !== null || !alive()) return;
      this.sign = this.send('WATCHDOG=1').finally(() => (this.sign = null));
    }, everyMs);
    this.watchdog.unref();
  }

  /** The process ends in an orderly way; it is the last that systemd is told. */
  async stopping(): Promise<void> {
    if (this.watchdog) clearInterval(this.watchdog);
    await this.sign;
    await this.send('STOPPING=1');
  }

  /** How long the watchdog waits; 0: there is none, or it watches another process (sd_watchdog_enabled(3)). */
  private watchdogMs(): number {
    const { WATCHDOG_USEC, WATCHDOG_PID } = this.env;
    return (WATCHDOG_PID ?? String(process.pid)) === String(process.pid) ? Number(WATCHDOG_USEC ?? 0) / 1000 : 0;
  }

  /** @returns why it was not sent */
  private send(...words: string[]): Promise<string | null> {
    if (!this.wanted) return Promise.resolve(null);
    return new Promise((resolve) => {
      execFile('systemd-notify', words, { timeout: LIMIT_MS, killSignal: 'SIGKILL' }, (error) =>
        resolve(error === null ? null : error.message.trim()),
      );
    });
  }
}
