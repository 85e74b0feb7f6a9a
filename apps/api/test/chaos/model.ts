/** The operations of design §3, and what each does on the host, in order. */
export const callsOf = {
  install: ['install'],
  'build-overlay': ['publish'],
  initialize: ['initialize'],
  start: ['initialize', 'start'],
  stop: ['stop'],
  restart: ['initialize', 'stop', 'start'],
  delete: ['delete'],
} as const;
export type Operation = keyof typeof callsOf;
export const serverOperations = ['initialize', 'start', 'stop', 'restart', 'delete'] as const;
export type ServerOperation = (typeof serverOperations)[number];

/** How many jobs of a lane may run at once on a host: the server lane's is a setting, and small ones queue up more. */
export const hosts = [
  { name: 'local', places: 2 },
  { name: 'second', places: 1 },
  { name: 'third', places: 16 },
] as const;
export type HostName = (typeof hosts)[number]['name'];

/** Servers of one world; a quick one ends its calls by itself. Overlays are named by their place in the world. */
export const servers = [
  { name: 'alpha', host: 'local', overlays: [], quick: false },
  { name: 'bravo', host: 'local', overlays: [0], quick: false },
  { name: 'charlie', host: 'second', overlays: [0], quick: false },
  { name: 'delta', host: 'second', overlays: [0, 1], quick: false },
  { name: 'echo', host: 'third', overlays: [1], quick: false },
  { name: 'foxtrot', host: 'local', overlays: [], quick: true },
  { name: 'golf', host: 'third', overlays: [0], quick: true },
] as const satisfies readonly { name: string; host: HostName; overlays: readonly number[]; quick: boolean }[];
/** Overlays of one world, new ones each time, since one that was built once is not waited for again. The last is quick. */
export const OVERLAYS = 3;
export const QUICK_OVERLAY = 2;

/** How long the transaction that queues a job is held open at its commit (ms). */
export const HOLDS = [0, 5, 25] as const;

export type Request = { userId: number } & (
  | { operation: ServerOperation; serverId: number }
  | { operation: 'build-overlay'; overlayId: number }
  | { operation: 'install'; hostId: number; build: null }
);

/** What every process of the fleet knows: whose calls end by themselves, or all of them, and whether the reconciler works. */
export interface World {
  quick: string[];
  free: boolean;
  reconciler: boolean;
}

/** What a job's call on the host is to do; `advance` ends this one and holds the next. */
export type Order = { what: 'finish' } | { what: 'advance' } | { what: 'fail'; code: number };

export type Lane = 'server' | 'build' | 'install';

/** A job as the test knows it. */
export interface Known {
  id: number;
  operation: Operation;
  host: HostName;
  /** The server's name, or null. */
  server: string | null;
  /** The id of the overlay that is built, or null. */
  overlay: number | null;
  /** Overlays without a revision that it waits for. */
  needs: readonly number[];
  /** Overlays whose first revision appeared while it was queued: it may wait for them or not. */
  perhaps: readonly number[];
  /** When the test asked for its cancellation (ms, monotonic), and what was answered. */
  cancels: { at: number; answer: 'accepted' | 'ended' | 'unknown' }[];
}

export const laneOf = ({ operation }: Known): Lane =>
  operation === 'install' ? 'install' : operation === 'build-overlay' ? 'build' : 'server';

export function placesOf(host: HostName, lane: Lane): number {
  const places = hosts.find(({ name }) => name === host)?.places ?? 0;
  return { server: places, build: 2, install: 1 }[lane];
}

/** The order of two jobs: the lower id first, either, or not known (its claim was made while a revision appeared). */
export type Relation = 'ordered' | 'free' | 'perhaps';

/**
 * Design §4, said once more in words of its own: two jobs must not run together when they are for one server, when one installs the
 * game on the host of the other, when both build one overlay, or when one builds an overlay that the other needs.
 */
export function relation(a: Known, b: Known): Relation {
  if (a.server !== null && a.server === b.server) return 'ordered';
  if (a.host === b.host && installs(a, b)) return 'ordered';
  if (a.overlay !== null && a.overlay === b.overlay) return 'ordered';
  for (const [build, other] of [
    [a, b],
    [b, a],
  ] as const) {
    if (build.overlay === null) continue;
    if (other.needs.includes(build.overlay)) return 'ordered';
    if (other.perhaps.includes(build.overlay)) return 'perhaps';
  }
  return 'free';
}

/** Whether one of them is an install, and the other uses what it installs: builds do not. */
function installs(a: Known, b: Known): boolean {
  if (a.overlay !== null || b.overlay !== null) return false;
  return a.operation === 'install' || b.operation === 'install';
}
