import { type LiveMessage, parseMessage } from './messages';

/** The part of a WebSocket that is used here, so that tests can play one. */
export interface Socket {
  send(data: string): void;
  close(): void;
  onopen: ((event: Event) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
}

/**
 * idle: not wanted; connecting: the first try; open; waiting: lost, a retry is due at `retryAt`;
 * denied: the panel says nobody is logged in, no retry.
 */
export type LiveState = 'idle' | 'connecting' | 'open' | 'waiting' | 'denied';

export interface LiveOptions {
  open: () => Socket;
  /** 0 ≤ n < 1, for the jitter. */
  random?: () => number;
  onState?: (state: LiveState, retryAt: number | null) => void;
  /** Called when a connection after the first one stands: whatever was missed must be read again. */
  onReconnect?: () => void;
}

export interface Listener {
  /** The position to resume after, asked anew at every (re)subscription; undefined: from the beginning. */
  after?: () => string | undefined;
  message: (message: LiveMessage) => void;
}

const notLoggedIn = 4401;
const firstDelay = 500;
const longestDelay = 15_000;
/** The panel pings every 15 s; two missed pings and a bit: the line is dead though nobody said so. */
const silence = 40_000;

/** One WebSocket for all subscriptions of a tab: reconnects by itself and resumes each channel where it stopped. */
export class LiveConnection {
  #options: LiveOptions;
  #socket: Socket | null = null;
  #state: LiveState = 'idle';
  #failures = 0;
  #opened = false;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #watchdog: ReturnType<typeof setTimeout> | undefined;
  #channels = new Map<string, Set<Listener>>();

  constructor(options: LiveOptions) {
    this.#options = options;
  }

  get state(): LiveState {
    return this.#state;
  }

  /** Connects, or does nothing when connected already. */
  start(): void {
    if (this.#state === 'connecting' || this.#state === 'open' || this.#state === 'waiting') return;
    this.#failures = 0;
    this.#opened = false;
    this.#connect();
  }

  /** Ends the connection; subscriptions stay and return with the next start. */
  stop(): void {
    clearTimeout(this.#retry);
    this.#drop();
    this.#enter('idle');
  }

  /** Tries again at once, when a retry is due anyway: after the network came back, or by the user's wish. */
  retryNow(): void {
    if (this.#state !== 'waiting') return;
    clearTimeout(this.#retry);
    this.#connect();
  }

  /** Listens to a channel. The answer ends it. */
  subscribe(channel: string, listener: Listener): () => void {
    const listeners = this.#channels.get(channel) ?? new Set<Listener>();
    this.#channels.set(channel, listeners);
    const alone = listeners.size === 0;
    listeners.add(listener);
    if (this.#state === 'open') {
      // A newcomer needs the replay from its own position; the others drop what they know already.
      if (!alone) this.#send({ type: 'unsubscribe', channel });
      this.#send({ type: 'subscribe', channel, ...this.#resume([listener]) });
    }
    return () => {
      if (!listeners.delete(listener) || listeners.size > 0) return;
      this.#channels.delete(channel);
      if (this.#state === 'open') this.#send({ type: 'unsubscribe', channel });
    };
  }

  #connect(): void {
    this.#enter('connecting');
    const socket = this.#options.open();
    this.#socket = socket;
    socket.onopen = () => {
      if (this.#socket !== socket) return;
      this.#watch();
      this.#enter('open');
      for (const [channel, listeners] of this.#channels) {
        this.#send({ type: 'subscribe', channel, ...this.#resume([...listeners]) });
      }
      if (this.#opened) this.#options.onReconnect?.();
      this.#opened = true;
    };
    socket.onmessage = (event) => {
      if (this.#socket !== socket) return;
      this.#watch();
      // Only a connection that says something counts as healthy: a proxy may accept and drop at once.
      this.#failures = 0;
      const message = parseMessage(event.data);
      if (message) this.#hear(message);
    };
    socket.onclose = (event) => {
      if (this.#socket !== socket) return;
      this.#drop();
      if (event.code === notLoggedIn) this.#enter('denied');
      else this.#later();
    };
  }

  #hear(message: LiveMessage): void {
    if (!('channel' in message) || typeof message.channel !== 'string') return;
    for (const listener of this.#channels.get(message.channel) ?? []) listener.message(message);
  }

  /** Where to resume: the oldest of the listeners' positions, or the beginning when one has none. */
  #resume(listeners: readonly Listener[]): { after?: string } {
    const positions = listeners.map((listener) => listener.after?.());
    const [first, ...rest] = positions;
    if (first === undefined || rest.includes(undefined)) return {};
    return {
      after: rest.reduce(
        (oldest: string, next) => (next !== undefined && comparePositions(next, oldest) < 0 ? next : oldest),
        first,
      ),
    };
  }

  #later(): void {
    const ceiling = Math.min(longestDelay, firstDelay * 2 ** this.#failures);
    // Full jitter above a floor: many consoles must not return in one wave after a restart of the panel.
    const delay = firstDelay / 2 + (this.#options.random ?? Math.random)() * ceiling;
    this.#failures += 1;
    this.#retry = setTimeout(() => this.#connect(), delay);
    this.#enter('waiting', Date.now() + delay);
  }

  #watch(): void {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => {
      this.#drop();
      this.#later();
    }, silence);
  }

  #drop(): void {
    clearTimeout(this.#watchdog);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #send(message: object): void {
    this.#socket?.send(JSON.stringify(message));
  }

  #enter(state: LiveState, retryAt: number | null = null): void {
    this.#state = state;
    this.#options.onState?.(state, retryAt);
  }
}

/** Orders positions: "seq" of jobs and "major-minor" of servers, both decimal. */
export function comparePositions(left: string, right: string): number {
  if (!left.includes('-') && !right.includes('-')) return Number(left) - Number(right);
  const a = left.split('-');
  const b = right.split('-');
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const difference = Number(a[index] ?? 0) - Number(b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
