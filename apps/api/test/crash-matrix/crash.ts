import { setTimeout as sleep } from 'node:timers/promises';
import { descendants, survivors } from '../process-tree.js';
import type { Cell } from './cells.js';
import type { JobRow, MatrixPanel } from './matrix-panel.js';
import type { Truth } from './truth.js';

/** Within this the system has to have converged, once the dead process runs again. */
const CONVERGES_MS = 15_000;

export interface Outcome {
  /** From the new start of the process to everything being true. */
  seconds: number;
  /** Of these, until the process said that it runs. */
  startSeconds: number;
  /** What had become of the job when the process died, and what becomes of it then. */
  atDeath: string;
  after: string;
}

/** Carries out one cell. @throws when the point is never passed, when it does not converge, or when what it converged to is untrue */
export async function crash(panel: MatrixPanel, truth: Truth, cell: Cell): Promise<Outcome> {
  await panel.prepare(cell.operation);
  const death = await scenes[cell.scene](panel, cell);
  const { job, key } = death;
  const began = performance.now();
  await panel.process(cell.role).start();
  const started = performance.now();
  const retried = key ? await retry(panel, key) : job;
  let left: string[] = [];
  do {
    left = await truth.untruths();
    if (left.length > 0 && performance.now() - started > CONVERGES_MS)
      throw new Error(`not within 15 s: ${left.join('; ')}`);
    // Looking is work, too, on the machine that is to converge.
    if (left.length > 0) await sleep(50);
  } while (left.length > 0);
  const [startSeconds, seconds] = [(started - began) / 1000, (performance.now() - began) / 1000];

  const living = await survivors(death.children);
  if (living.length > 0) throw new Error(`these survived: ${living.map(({ command }) => command).join(', ')}`);
  const queued = await panel.jobsAfter(death.before);
  const expected = death.ahead ? 2 : 1;
  if (queued.length !== expected) throw new Error(`${queued.length} jobs were queued, not ${expected}`);
  const end = await panel.row(retried?.id ?? queued.at(-1)?.id ?? 0);
  requireTrueEnd(cell, death.atDeath, end);
  await requireTrueWords(panel, end);
  const log = await panel.api.jobLog(end.id);
  if (log.some(({ seq }, index) => seq !== index + 1)) throw new Error(`the log of job ${end.id} has a gap`);
  const another = await panel.another(cell.operation);
  if (another.state !== 'succeeded') throw new Error(`the next job, ${another.operation}, failed: ${another.error}`);
  return { seconds, startSeconds, atDeath: death.atDeath?.state ?? 'not there', after: end.state };
}

interface Death {
  /** The last job before those of this cell. */
  before: number;
  /** There is another job, ahead of the one it is about. */
  ahead: boolean;
  /** Null: it was not committed. */
  atDeath: JobRow | null;
  job: { id: number } | null;
  children: Awaited<ReturnType<typeof descendants>>;
  /** The request that was under way. */
  key?: { path: string; body: Record<string, string>; key: string };
}

/** A request whose answer was lost is sent again, with its key, as often as a script would. */
async function retry(
  panel: MatrixPanel,
  { path, body, key }: NonNullable<Death['key']>,
): Promise<{ id: number } | null> {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const answer = await panel.post(path, body, key);
    if (answer?.status === 202) return { id: JSON.parse(answer.text).id };
    if (answer && answer.status !== 202) throw new Error(`sent again it was answered ${answer.status}: ${answer.text}`);
  }
  throw new Error('sent again it was not answered');
}

/** What was queued runs, what ran has failed (or was cancelled, if that was asked for), what had ended has ended. */
function requireTrueEnd({ role, scene }: Cell, before: JobRow | null, after: JobRow): void {
  const said = `${after.state} (${after.exitCode}, ${after.error})`;
  const was = before?.state ?? 'queued';
  const interrupted = after.state === 'failed' && after.exitCode === null && after.error?.startsWith('interrupted');
  const ok = (): boolean => {
    if (was === 'queued') return after.state === 'succeeded' && after.exitCode === 0;
    if (was === 'running') return role === 'worker' ? interrupted === true : after.state === 'succeeded';
    // The operation may be over before it hears of it; which end is written first is the one that counts.
    if (was === 'cancelling') return after.state === 'cancelled' || (role === 'api' && after.state === 'succeeded');
    return after.state === was && after.error === before?.error;
  };
  if (!ok()) throw new Error(`it was ${was} when the ${role} died (${scene}), and is ${said}`);
}

/** An interrupted job of a server says what the server does, and that is so. */
async function requireTrueWords(panel: MatrixPanel, { id, error }: JobRow): Promise<void> {
  if (!error?.startsWith('interrupted')) return;
  const { rows } = await panel.database.query<{ does: string }>(
    `SELECT CASE actual_state WHEN 'absent' THEN 'The server is not on its host.' WHEN 'running'
       THEN 'The server is running (generation ' || generation ELSE 'The server is ' || actual_state || '.' END AS does
     FROM jobs JOIN servers ON servers.id = jobs.server_id WHERE jobs.id = $1`,
    [id],
  );
  const does = rows[0]?.does ?? '';
  if (!error.includes(does)) throw new Error(`its error is ${JSON.stringify(error)}, though: ${does}`);
}

type SceneOf = (panel: MatrixPanel, cell: Cell) => Promise<Death>;

const scenes: Record<Cell['scene'], SceneOf> = {
  queueing: async (panel, cell) => {
    const before = await panel.lastJobId();
    const request = { ...panel.request(cell.operation), key: panel.newKey() };
    await panel.faults.api.arm({ point: cell.point, action: 'die' });
    const answer = panel.post(request.path, request.body, request.key);
    const death = await die(panel, cell, before);
    await answer;
    return { ...death, key: request };
  },
  running: async (panel, cell) => {
    const before = await panel.lastJobId();
    await panel.faults.worker.arm({ point: cell.point, action: 'die', afterMs: cell.afterMs ?? 0 });
    await panel.queue(cell.operation, cell.newBuild);
    return die(panel, cell, before);
  },
  cancelling: async (panel, cell) => {
    const before = await panel.lastJobId();
    const held = 'host command begins';
    await panel.faults.worker.arm({ point: held, action: cell.role === 'worker' ? 'die' : 'hold' });
    const job = await panel.queue(cell.operation, cell.newBuild);
    await panel.faults.worker.reached(held);
    if (cell.role === 'worker') {
      await panel.api.admin.post(`/api/v1/jobs/${job.id}/cancel`).expect(202);
      return die(panel, cell, before);
    }
    await panel.faults.api.arm({ point: cell.point, action: 'die' });
    const answer = cancel(panel, job.id);
    const death = await die(panel, cell, before);
    await answer;
    await panel.faults.worker.release();
    return death;
  },
  unqueueing: async (panel, cell) => {
    const before = await panel.lastJobId();
    const job = await behind(panel, cell);
    await panel.faults.api.arm({ point: cell.point, action: 'die' });
    const answer = cancel(panel, job.id);
    const death = await die(panel, cell, before);
    await answer;
    await panel.faults.worker.release();
    return { ...death, ahead: true };
  },
  next: async (panel, cell) => {
    const before = await panel.lastJobId();
    await behind(panel, cell);
    if (cell.role === 'api') {
      // The worker says that the job ahead has ended and gets no further: the API's reconciler has to go on.
      await panel.faults.api.arm({ point: cell.point, action: 'die' });
      await panel.faults.worker.arm({ point: 'end written', action: 'hold' });
      const death = await die(panel, cell, before);
      await panel.faults.worker.release();
      return { ...death, ahead: true };
    }
    // It is the worker that is to go on: the API must not be faster.
    process.kill(panel.api.pid, 'SIGSTOP');
    try {
      await panel.faults.worker.arm({ point: cell.point, action: 'die' });
      return { ...(await die(panel, cell, before)), ahead: true };
    } finally {
      process.kill(panel.api.pid, 'SIGCONT');
    }
  },
  recovering: async (panel, cell) => {
    const before = await panel.lastJobId();
    const first = 'host command begins';
    await panel.faults.worker.arm({ point: first, action: 'die' });
    await panel.queue(cell.operation);
    const death = await die(panel, { ...cell, point: first }, before);
    await panel.faults.worker.arm({ point: cell.point, action: 'die' });
    panel.worker.launch();
    await panel.faults.worker.reached(cell.point);
    await kill(panel, cell.role);
    return death;
  },
};

/** Queues the operation behind another job, which the worker holds. */
async function behind(panel: MatrixPanel, { operation }: Cell): Promise<{ id: number }> {
  const held = 'host command begins';
  await panel.faults.worker.arm({ point: held, action: 'hold' });
  await panel.queueAhead(operation);
  await panel.faults.worker.reached(held);
  const job = await panel.queue(operation);
  await panel.parked(job);
  return job;
}

async function cancel(panel: MatrixPanel, id: number): Promise<void> {
  await fetch(`${panel.api.url}/api/v1/jobs/${id}/cancel`, {
    method: 'POST',
    headers: { Cookie: panel.api.cookie },
  }).catch(() => undefined);
}

/** Waits until the process is where it is to die, looks at what it has started and what is committed, and kills it. */
async function die(panel: MatrixPanel, { role, point }: Cell, before: number): Promise<Death> {
  await panel.faults[role].reached(point);
  const children = await commandsOf(panel.process(role).pid);
  if (point === 'command not yet told' && !children.some(({ command }) => command.includes('sync --file-system'))) {
    throw new Error(`its command does not live: ${children.map(({ command }) => command).join(', ')}`);
  }
  const atDeath = (await panel.jobsAfter(before)).at(-1) ?? null;
  await kill(panel, role);
  return { before, ahead: false, atDeath, job: atDeath, children };
}

async function kill(panel: MatrixPanel, role: Cell['role']): Promise<void> {
  await panel.process(role).end('SIGKILL');
  // A worker that is held is not to be let go by the API's death.
  if (role === 'worker') await panel.faults.worker.release();
  else await panel.faults.api.release();
}

/** What it has started and must not outlive it: all but the servers, which have a supervisor each. */
async function commandsOf(pid: number): Promise<Death['children']> {
  const all = await descendants(pid);
  const outlives = new Set<number>();
  // Parents come first.
  for (const { pid: own, parent, command } of all) {
    if (outlives.has(parent) || command.includes('supervisor.js')) outlives.add(own);
  }
  return all.filter((row) => !outlives.has(row.pid));
}
