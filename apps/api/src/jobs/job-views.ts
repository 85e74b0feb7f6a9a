import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Principal } from '../auth/access.js';
import { onlineSql } from '../hosts/online.js';
import { NotFound } from '../problems/problems.js';
import { viewer, visibleJobs } from './job-access.js';
import type { JobView, WaitsFor } from './job.dto.js';
import type { Job, JobState, Operation } from './job.entity.js';
import { type Lane, laneOf, placesOf } from './queue/lanes.js';

interface Row extends Omit<
  Job,
  'host' | 'server' | 'overlay' | 'user' | 'canceller' | 'incarnation' | 'twin' | 'build' | 'requestId'
> {
  hostName: string;
  hostOnline: boolean;
  workerConcurrency: number | null;
  userName: string | null;
  cancelledByName: string | null;
}

/** For whom jobs are rendered; null: for the panel itself, from which nothing is hidden. */
type Viewer = Principal | null;

interface Blocker {
  jobId: number;
  aheadId: number;
  operation: Operation;
  state: JobState;
  subject: string;
  /** Whether the viewer sees the job; of others they learn only that there is one. */
  visible: boolean;
}

interface FullLane {
  hostId: number;
  lane: Lane;
  places: number;
}

const select = `
  SELECT jobs.id, operation, state, host_id AS "hostId", hosts.name AS "hostName", (${onlineSql('hosts')}) AS "hostOnline",
    hosts.worker_concurrency AS "workerConcurrency",
    server_id AS "serverId", server_name AS "serverName", overlay_id AS "overlayId", overlay_name AS "overlayName",
    user_id AS "userId", users.name AS "userName", admitted_at AS "admittedAt", exit_code AS "exitCode", error,
    progress_percent AS "progressPercent", progress_text AS "progressText",
    jobs.created_at AS "createdAt", started_at AS "startedAt", finished_at AS "finishedAt",
    cancelled_by AS "cancelledBy", cancellers.name AS "cancelledByName", cancelled_at AS "cancelledAt"
  FROM jobs JOIN hosts ON hosts.id = jobs.host_id LEFT JOIN users ON users.id = jobs.user_id
    LEFT JOIN users cancellers ON cancellers.id = jobs.cancelled_by`;

/** The first conflicting jobs ahead of each of a job's claims: index probes, as in admission. $4: the jobs' ids. */
const blockers = `
  SELECT DISTINCT mine.job_id AS "jobId", jobs.id AS "aheadId", jobs.operation, jobs.state,
    coalesce(jobs.server_name, jobs.overlay_name, hosts.name) AS subject,
    (${visibleJobs}) AS visible
  FROM job_claims mine
  CROSS JOIN LATERAL (
    (SELECT ahead.job_id FROM job_claims ahead
     WHERE mine.exclusive AND ahead.resource = mine.resource AND ahead.job_id < mine.job_id ORDER BY ahead.job_id LIMIT 2)
    UNION ALL
    (SELECT ahead.job_id FROM job_claims ahead
     WHERE NOT mine.exclusive AND ahead.exclusive AND ahead.resource = mine.resource AND ahead.job_id < mine.job_id
     ORDER BY ahead.job_id LIMIT 2)
  ) ahead
  JOIN jobs ON jobs.id = ahead.job_id JOIN hosts ON hosts.id = jobs.host_id
  WHERE mine.job_id = ANY ($4) ORDER BY mine.job_id, jobs.id`;

/**
 * Renders jobs for somebody: with names, what each waits for, and progress. Whether they may see these jobs is the caller's business;
 * the jobs that they wait for are checked here.
 */
@Injectable()
export class JobViews {
  constructor(private readonly database: DataSource) {}

  /** The jobs of these ids, newest first; ids that are not there are left out. */
  async byIds(me: Viewer, ids: readonly number[]): Promise<JobView[]> {
    if (ids.length === 0) return [];
    const rows = await this.database.query<Row[]>(`${select} WHERE jobs.id = ANY ($1) ORDER BY jobs.id DESC`, [ids]);
    return this.render(me, rows);
  }

  /**
   * A job that has just been queued. Where it may run it waits for nothing as yet: that its lane is full, which others would be counted
   * for, is told by those who read it later.
   * @throws NotFound when it is gone
   */
  async queued(me: Viewer, id: number): Promise<JobView> {
    const rows = await this.database.query<Row[]>(`${select} WHERE jobs.id = $1`, [id]);
    const [view] = await this.render(me, rows, false);
    if (!view) throw new NotFound(`job ${id}`);
    return view;
  }

  /** For each server its running job, else the first that waits. */
  async current(me: Viewer, serverIds: readonly number[]): Promise<Map<number, JobView>> {
    return this.firstUnfinished(me, 'server_id', serverIds, (view) => view.serverId);
  }

  /** For each host its unfinished `install`, if there is one. */
  async currentInstall(me: Viewer, hostIds: readonly number[]): Promise<Map<number, JobView>> {
    return this.firstUnfinished(me, 'host_id', hostIds, (view) => view.hostId, `AND operation = 'install'`);
  }

  private async firstUnfinished(
    me: Viewer,
    column: string,
    ids: readonly number[],
    keyOf: (view: JobView) => number | null,
    condition = '',
  ): Promise<Map<number, JobView>> {
    const found = new Map<number, JobView>();
    if (ids.length === 0) return found;
    const rows = await this.database.query<{ id: number }[]>(
      `SELECT DISTINCT ON (${column}) id FROM jobs WHERE ${column} = ANY ($1) AND finished_at IS NULL ${condition}
       ORDER BY ${column}, state = 'queued', id`,
      [ids],
    );
    for (const view of await this.byIds(
      me,
      rows.map((row) => row.id),
    )) {
      const key = keyOf(view);
      if (key !== null) found.set(key, view);
    }
    return found;
  }

  private async render(me: Viewer, rows: Row[], countPlaces = true): Promise<JobView[]> {
    const waiting = rows.filter((row) => row.state === 'queued').map((row) => row.id);
    const ahead =
      waiting.length > 0
        ? await this.database.query<Blocker[]>(blockers, [...(me ? viewer(me) : [null, true, null]), waiting])
        : [];
    const full = countPlaces ? await this.fullLanes(rows) : [];
    return rows.map((row) => ({
      id: row.id,
      operation: row.operation,
      state: row.state,
      serverId: row.serverId,
      serverName: row.serverName,
      overlayId: row.overlayId,
      overlayName: row.overlayName,
      hostId: row.hostId,
      hostName: row.hostName,
      userId: row.userId,
      userName: row.userName,
      cancelledBy: row.cancelledBy,
      cancelledByName: row.cancelledByName,
      cancelledAt: row.cancelledAt?.toISOString() ?? null,
      exitCode: row.exitCode,
      error: row.error,
      waitsFor:
        row.state === 'queued'
          ? this.waitsFor(
              row,
              ahead.filter((job) => job.jobId === row.id),
              full,
            )
          : begunWaitsFor(row),
      progress: progressOf(row),
      createdAt: row.createdAt.toISOString(),
      startedAt: row.startedAt?.toISOString() ?? null,
      finishedAt: row.finishedAt?.toISOString() ?? null,
    }));
  }

  /** The lanes that have as many jobs running as places, of the hosts that one of these jobs may run on now. */
  private async fullLanes(rows: Row[]): Promise<FullLane[]> {
    const mayRun = rows.filter((row) => row.state === 'queued' && row.admittedAt !== null && row.hostOnline);
    if (mayRun.length === 0) return [];
    const running = await this.database.query<{ hostId: number; operation: Operation; count: number }[]>(
      `SELECT host_id AS "hostId", operation, count(*)::int AS count FROM jobs
       WHERE admitted_at IS NOT NULL AND finished_at IS NULL AND state <> 'queued' AND host_id = ANY ($1)
       GROUP BY host_id, operation`,
      [mayRun.map((row) => row.hostId)],
    );
    const found = new Map<string, FullLane>();
    for (const { hostId, operation, workerConcurrency } of mayRun) {
      const lane = laneOf(operation);
      const places = placesOf(lane, workerConcurrency ?? Infinity);
      const taken = running
        .filter((job) => job.hostId === hostId && laneOf(job.operation) === lane)
        .reduce((sum, { count }) => sum + count, 0);
      if (taken >= places) found.set(`${hostId} ${lane}`, { hostId, lane, places });
    }
    return [...found.values()];
  }

  private waitsFor(row: Row, ahead: Blocker[], full: FullLane[]): WaitsFor[] {
    const seen = ahead.filter((job) => job.visible);
    const waits: WaitsFor[] = seen.map((job) => ({
      kind: 'job',
      jobId: job.aheadId,
      operation: job.operation,
      text: `waits for job ${job.aheadId}, ${job.operation} ${job.operation === 'install' ? 'on' : 'of'} ${job.subject}`,
    }));
    if (seen.length < ahead.length) waits.push({ kind: 'job', text: 'waits for another job' });
    if (!row.hostOnline) {
      waits.push({ kind: 'host', text: `waits for host ${row.hostName}, whose worker is not there` });
    } else if (waits.length === 0 && row.admittedAt !== null) {
      const its = full.find(({ hostId, lane }) => hostId === row.hostId && lane === laneOf(row.operation));
      if (its) waits.push({ kind: 'slot', text: waitsForPlace(its) });
    }
    return waits;
  }
}

function waitsForPlace({ lane, places }: FullLane): string {
  if (places === 1) return `waits for the only place of the ${lane} lane, which is taken`;
  return `waits for a place in the ${lane} lane, whose ${places} places are taken`;
}

/** Only a host's own worker ends what was begun there. While it is away nobody knows how that goes, and nobody acts on it. */
function begunWaitsFor({ state, hostName, hostOnline }: Row): WaitsFor[] {
  if (hostOnline || (state !== 'running' && state !== 'cancelling')) return [];
  const then =
    state === 'running'
      ? 'how this job ended is known when its worker is back'
      : 'the cancellation takes effect when its worker is back';
  return [{ kind: 'host', text: `host ${hostName} is offline: ${then}` }];
}

function progressOf({ progressPercent: percent, progressText: text }: Row): JobView['progress'] {
  return percent === null && text === null ? null : { percent, text };
}
