import { type Operation, operations } from '../../src/jobs/job.entity.js';

/**
 * What goes on when the process dies:
 * queueing – the request that queues the job; running – the job; cancelling – the job was begun and somebody cancels it; unqueueing –
 * the job waits and somebody cancels it; next – the job before it ends, and it is its turn; recovering – the worker died while the job
 * ran, and dies again while it ends that job.
 */
export type Scene = 'queueing' | 'running' | 'cancelling' | 'unqueueing' | 'next' | 'recovering';

/** One death: who dies, where, in what operation. */
export interface Cell {
  role: 'api' | 'worker';
  scene: Scene;
  operation: Operation;
  point: string;
  /** Dies only this long after the point. */
  afterMs?: number;
  /** The install has to set up a build that is not there yet. */
  newBuild?: boolean;
}

const queueing = [
  'idempotency key claimed',
  'job not yet inserted',
  'job committed',
  'twin not yet added',
  'twin added',
  'answer not yet kept',
];
const running = ['twin delivered', 'job claimed', 'host command begins', 'end not yet written', 'end written'];
const promoting = ['twin not yet promoted', 'twin promoted'];
const initializing = ['generation pinned', 'generation not yet next', 'generation written', 'generation recorded'];
const stopping = ['stop announced', 'quit sent'];
const launching = ['copies replaced', 'generation adopted', 'supervisor begun', 'server launched'];

/** The steps that an operation has of its own. */
const steps: Record<Operation, string[]> = {
  install: ['build not yet named', 'build not yet current', 'build installed', 'build recorded'],
  'build-overlay': ['command not yet told', 'revision not yet named', 'revision published', 'revision recorded'],
  initialize: initializing,
  start: [...initializing, ...launching],
  restart: [...initializing, ...stopping, 'server stopped for its restart', ...launching],
  stop: stopping,
  delete: [...stopping, 'own files moved away', 'instance deleted'],
};

/** Every death of the matrix. */
export function allCells(): Cell[] {
  return operations.flatMap((operation) => [
    ...cells('api', 'queueing', operation, queueing),
    ...cells('api', 'next', operation, promoting),
    ...cells('api', 'cancelling', operation, ['cancellation asked'], true),
    ...cells('api', 'unqueueing', operation, ['twin removed', 'queued job cancelled']),
    ...cells('worker', 'running', operation, [...running, ...steps[operation]]),
    ...inTheMiddle(operation),
    ...cells('worker', 'next', operation, promoting),
    ...cells('worker', 'cancelling', operation, ['host command begins']),
    ...cells('worker', 'recovering', operation, ['interruption not yet written']),
  ]);
}

/** Each point of each scene once, with the operations as evenly chosen as can be. */
export function representative(of: readonly Cell[]): Cell[] {
  const chosen = new Map<Operation, number>();
  const places = new Map<string, Cell[]>();
  for (const cell of of) {
    const place = `${cell.role} ${cell.scene} ${cell.point} ${cell.afterMs ?? 0}`;
    places.set(place, [...(places.get(place) ?? []), cell]);
  }
  return [...places.values()].flatMap((choices) => {
    const [least] = choices.toSorted((a, b) => (chosen.get(a.operation) ?? 0) - (chosen.get(b.operation) ?? 0));
    if (!least) return [];
    chosen.set(least.operation, (chosen.get(least.operation) ?? 0) + 1);
    return [least];
  });
}

export function titleOf({ role, scene, operation, point, afterMs }: Cell): string {
  return `${operation}: ${role} dies, ${scene}, at "${point}"${afterMs ? ` + ${afterMs} ms` : ''}`;
}

function cells(
  role: Cell['role'],
  scene: Scene,
  operation: Operation,
  points: readonly string[],
  newBuild = false,
): Cell[] {
  return points.map((point) => ({
    role,
    scene,
    operation,
    point,
    newBuild: operation === 'install' && (newBuild || point === 'build not yet named'),
  }));
}

/** While the host command is at work: the delays were chosen so that each is in the middle of what takes longest. */
function inTheMiddle(operation: Operation): Cell[] {
  const afterMs = { install: 700, start: 120, restart: 150, stop: 60, delete: 60, initialize: 10, 'build-overlay': 20 };
  const [cell] = cells('worker', 'running', operation, ['host command begins'], true);
  return cell ? [{ ...cell, afterMs: afterMs[operation] }] : [];
}
