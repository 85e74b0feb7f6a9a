import type { Fleet } from './fleet.js';
import { type Row, name } from './invariants.js';
import { type Known, laneOf, placesOf, relation, servers } from './model.js';

interface Seen {
  known: readonly Known[];
  rows: readonly Row[];
  told: ReadonlySet<number>;
  fleet: Fleet;
}

/** What could go on by itself and has not yet, while both services are there. */
export async function waiting(seen: Seen): Promise<string[]> {
  const stateOf = new Map(seen.rows.map((row) => [row.id, row]));
  const unfinished = seen.known.filter(({ id }) => !isEnd(stateOf.get(id)?.state));
  const late: string[] = [];
  for (const job of unfinished) {
    const row = stateOf.get(job.id);
    if (!row) late.push(`${name(job)} has no row`);
    else if (!seen.fleet.worker(job.host).up) continue;
    else if (row.state !== 'queued') late.push(...running(job, row, seen));
    else if (mayRun(job, unfinished) && hasPlace(job, unfinished, stateOf)) {
      late.push(`${name(job)} waits although nothing conflicting is ahead, its lane has a place and its host is there`);
    }
  }
  return late.length > 0 ? late : unseen(seen);
}

function running(job: Known, row: Row, { told, fleet }: Seen): string[] {
  const run = fleet.record.of(job.id).at(-1);
  if (row.state === 'cancelling') return [`${name(job)} was told to stop and has not ended`];
  if (!run || run.to !== null) return [`${name(job)} is running, says its row, but no host works at it`];
  const quick = servers.find((server) => server.name === job.server)?.quick ?? false;
  if (quick || told.has(job.id)) return [`${name(job)} has done its work and has not ended`];
  return [];
}

const mayRun = (job: Known, unfinished: readonly Known[]): boolean =>
  unfinished.every((other) => other.id >= job.id || relation(other, job) === 'free');

function hasPlace(job: Known, unfinished: readonly Known[], rows: ReadonlyMap<number, Row>): boolean {
  const lane = laneOf(job);
  const taken = unfinished.filter(
    (other) => other.host === job.host && laneOf(other) === lane && rows.get(other.id)?.state !== 'queued',
  );
  return taken.length < placesOf(job.host, lane);
}

/** Bull board shows the whole line: every waiting job has a twin that waits. */
async function unseen({ known, rows, fleet }: Seen): Promise<string[]> {
  const waitingRows = rows.filter(({ state }) => state === 'queued');
  const states = await Promise.all(
    waitingRows.map(async (row) => {
      const job = known.find(({ id }) => id === row.id);
      if (!job) return null;
      const state = await fleet.queue(job.host, laneOf(job)).getJobState(`job-${row.id}.${row.twin}`);
      const waits = ['delayed', 'waiting', 'prioritized', 'active'].includes(state);
      return waits ? null : `${name(job)} is waiting, but its twin on Bull board is ${state}`;
    }),
  );
  return states.filter((state) => state !== null);
}

const isEnd = (state: string | undefined): boolean => ['succeeded', 'failed', 'cancelled'].includes(state ?? '');
