import { setTimeout as sleep } from 'node:timers/promises';
import type { Fleet } from './fleet.js';
import { type Departure, type LogLine, type Row, Violation, judge, name } from './invariants.js';
import { waiting } from './liveness.js';
import { type Member, Refused, now } from './member.js';
import { enqueued } from './messages.js';
import {
  type HostName,
  type Known,
  type Operation,
  type Order,
  type Request,
  hosts,
  laneOf,
  servers,
} from './model.js';
import type { Action, Interleaving } from './steps.js';

/** How long the line may stand still although it could go on: while nothing is lost, and after something was. */
const CALM_MS = 10_000;
const DISTURBED_MS = 15_000;
const BY_HAND_MS = 1000;

/** One interleaving as it happens. */
export class Course {
  private readonly known = new Map<number, Known>();
  /** Jobs that were told how to end. */
  private readonly told = new Set<number>();
  private readonly departures: Departure[] = [];
  private overlays: number[] = [];
  private before = 0;
  private disturbedAt: number | null = null;
  /** Answers may have got lost, and with them which jobs there are. */
  private unsure = false;
  private postgresFailed = false;
  private readonly away = { redis: false, postgres: false };
  private readonly turns = { redis: Promise.resolve(), postgres: Promise.resolve() };

  constructor(
    private readonly fleet: Fleet,
    private readonly plan: Interleaving,
  ) {}

  /** @throws Violation when a promise of the queue was not kept */
  async play(): Promise<void> {
    const { fleet, plan } = this;
    fleet.record.forget();
    this.before = (await this.query<{ id: number }>('SELECT coalesce(max(id), 0) AS id FROM jobs'))[0]?.id ?? 0;
    fleet.change({ reconciler: !plan.calm });
    this.overlays = await fleet.newOverlays();
    for (const { actions, settle } of plan.rounds) {
      await Promise.all(actions.map((action) => this.act(action)));
      if (settle) await this.settle();
    }
    await this.finish();
  }

  /** What is known of the jobs, for whoever looks into a violation. */
  async story(): Promise<string> {
    const rows = await this.rows().catch(() => []);
    const at = (time: number | null): string => (time === null ? '…' : (time % 1e6).toFixed(1));
    const jobs = [...this.known.values()].sort((a, b) => a.id - b.id);
    const lines = jobs.map((job) => {
      const row = rows.find(({ id }) => id === job.id);
      const runs = this.fleet.record.of(job.id).map((run) => {
        const calls = run.calls.map(({ operation, how }) => `${operation} ${how ?? '…'}`);
        return ` by ${run.by} ${at(run.from)}–${at(run.to)}: ${calls.join(', ')}`;
      });
      const cancels = job.cancels.map((cancel) => ` cancel ${at(cancel.at)} ${cancel.answer}`);
      const needs = job.needs.length > 0 ? `, needs ${job.needs.join()}` : '';
      return `  ${name(job)}${needs}: ${row?.state} ${row?.error ?? ''}${[...runs, ...cancels].join(';')}`;
    });
    const words = this.fleet.members.map(
      (member) => `  ${member.name}: ${member.words.slice(member.collapsed ? -40 : -4).join('\n    ')}`,
    );
    return [...lines, 'last words:', ...words].join('\n');
  }

  private async act(action: Action): Promise<void> {
    const userId = this.fleet.holder('holdMs' in action ? action.holdMs : 0);
    switch (action.do) {
      case 'enqueue': {
        const server = servers[action.server % servers.length] ?? servers[0];
        const { operation } = action;
        const needs = ['initialize', 'start', 'restart'].includes(operation) ? server.overlays : [];
        const overlays = needs.map((place) => this.overlays[place] ?? 0);
        const request = { operation, serverId: this.fleet.serverId(server.name), userId };
        return this.enqueue(action, request, { host: server.host, server: server.name, overlay: null, overlays });
      }
      case 'build': {
        const overlay = this.overlays[action.overlay] ?? 0;
        const request = { operation: 'build-overlay', overlayId: overlay, userId } as const;
        return this.enqueue(action, request, { host: 'local', server: null, overlay, overlays: [] });
      }
      case 'install': {
        const host = this.host(action.host);
        const request = { operation: 'install', hostId: this.fleet.hostId(host), build: null, userId } as const;
        return this.enqueue(action, request, { host, server: null, overlay: null, overlays: [] });
      }
      case 'finish':
      case 'advance':
        return this.order(action.pick, { what: action.do });
      case 'fail':
        return this.order(action.pick, { what: 'fail', code: action.code });
      case 'cancel':
        return this.cancel(action);
      case 'by-hand':
        return this.byHand(action);
      case 'pause':
        await sleep(action.ms);
        return;
      case 'crash':
      case 'leave':
      case 'return':
        return this.worker(this.host(action.host), action.do);
      case 'flush':
        this.disturb();
        if (this.away.redis) return;
        await this.fleet.services.redis.flush().catch(() => undefined);
        this.fleet.count('flushes');
        return;
      case 'redis':
      case 'postgres':
        return this.service(action.do, action.how);
    }
  }

  private async enqueue(
    { via }: { via: number },
    request: Request,
    { overlays, ...subject }: Pick<Known, 'host' | 'server' | 'overlay'> & { overlays: number[] },
  ): Promise<void> {
    const member = this.member(via);
    try {
      const answer = enqueued.parse(await member.ask({ kind: 'enqueue', request, overlays }));
      const needs = overlays.filter((id) => !answer.builtAfter.includes(id));
      const perhaps = overlays.filter((id) => answer.builtAfter.includes(id) && !answer.builtBefore.includes(id));
      this.add({ id: answer.jobId, operation: request.operation, ...subject, needs, perhaps });
    } catch (error) {
      this.mayFail(error, member);
    }
  }

  private add(job: Omit<Known, 'cancels'>): void {
    this.known.set(job.id, { ...job, cancels: [] });
  }

  private order(pick: number, order: Order): void {
    const running = [...this.known.values()].filter(
      ({ id }) => !this.told.has(id) && this.fleet.record.of(id).at(-1)?.to === null,
    );
    const job = running[pick % running.length];
    if (!job) return;
    if (order.what !== 'advance') this.told.add(job.id);
    this.fleet.worker(job.host).tell({ kind: 'order', jobId: job.id, order });
  }

  private async cancel({ pick, via, of }: Extract<Action, { do: 'cancel' }>): Promise<void> {
    const job = this.pick(pick, ({ id }) => of === 'all' || (this.fleet.record.of(id).at(-1)?.to ?? null) === null);
    if (!job) return;
    const member = this.member(via);
    const cancel: Known['cancels'][number] = { at: now(), answer: 'unknown' };
    job.cancels.push(cancel);
    try {
      await member.ask({ kind: 'cancel', jobId: job.id });
      cancel.answer = 'accepted';
    } catch (error) {
      if (error instanceof Refused && error.conflict) cancel.answer = 'ended';
      else this.mayFail(error, member);
    }
  }

  /** What somebody can do to a job's twin on Bull board. Bull board says what it cannot do, so that is no violation. */
  private async byHand({ pick, how }: Extract<Action, { do: 'by-hand' }>): Promise<void> {
    const job = this.pick(pick, () => true);
    if (!job || this.away.redis || this.away.postgres) return;
    const touch = async (): Promise<void> => {
      const [row] = await this.query<{ twin: number }>('SELECT twin FROM jobs WHERE id = $1', [job.id]);
      const queue = this.fleet.queue(job.host, laneOf(job));
      if (how === 'duplicate') await queue.add(job.operation, { jobId: job.id });
      const twin = await queue.getJob(`job-${job.id}.${row?.twin}`);
      if (how === 'retry') await twin?.retry((await twin.getState()) === 'completed' ? 'completed' : 'failed');
      if (how === 'promote') await twin?.promote();
      if (how === 'remove') await twin?.remove();
    };
    await Promise.race([touch().catch(() => undefined), sleep(BY_HAND_MS)]);
  }

  private async worker(host: HostName, what: 'crash' | 'leave' | 'return'): Promise<void> {
    const member = this.fleet.worker(host);
    if (what === 'return') {
      if (!this.away.postgres) await this.fleet.start(member).catch((error: unknown) => this.mayFail(error, member));
    } else if (member.up) {
      const orderly = what === 'leave';
      await (orderly ? member.leave() : member.kill());
      this.fleet.count(orderly ? 'orderly stops' : 'crashes');
      this.departures.push({ host, gone: now(), orderly });
    }
    this.disturb();
  }

  /** One after the other: of two that come at the same time neither is lost. */
  private service(which: 'redis' | 'postgres', how: 'kill' | 'stop' | 'start'): Promise<void> {
    const turn = this.turns[which].then(async () => {
      if (this.away[which] === (how !== 'start')) return;
      this.away[which] = how !== 'start';
      if (which === 'postgres') this.postgresFailed = true;
      await this.fleet.services[which][how]();
      if (how !== 'start') this.fleet.count(`outages of ${which}`);
      this.disturb();
    });
    this.turns[which] = turn;
    return turn;
  }

  /** Waits until everything that can go on has gone on. */
  private async settle(): Promise<void> {
    if (this.away.redis || this.away.postgres) return;
    await this.adopt();
    await this.until(async () => {
      const seen = { known: this.all, rows: await this.rows(), told: this.told, fleet: this.fleet };
      const [first] = await waiting(seen);
      return first ?? null;
    });
  }

  /** Everything comes back and everything may end; then everything is judged. */
  private async finish(): Promise<void> {
    const { fleet } = this;
    await this.service('postgres', 'start');
    await this.service('redis', 'start');
    fleet.change({ free: true });
    for (const { name: host } of hosts) if (!fleet.worker(host).up) await this.worker(host, 'return');
    await this.adopt();
    let left = Number.POSITIVE_INFINITY;
    let since = now();
    await this.until(
      async () => {
        const open = (await this.rows()).filter(({ state }) => !['succeeded', 'failed', 'cancelled'].includes(state));
        if (open.length < left) since = now();
        left = open.length;
        const job = open[0] && this.known.get(open[0].id);
        return job && open[0] ? `${name(job)} does not end: it is ${open[0].state}` : null;
      },
      () => since,
    );
    await fleet.told();
    const collapsed = fleet.members.find((member) => member.collapsed);
    if (collapsed) throw new Violation(`the process ${collapsed.name} ended by itself`);
    judge({
      known: this.all,
      rows: await this.rows(),
      record: fleet.record,
      log: await this.query<LogLine>(
        'SELECT job_id AS "jobId", seq, line FROM job_log WHERE job_id > $1 ORDER BY job_id, seq',
        [this.before],
      ),
      claims: (await this.query('SELECT 1 FROM job_claims')).length,
      departures: this.departures,
      postgresFailed: this.postgresFailed,
    });
  }

  /** Jobs whose 202 got lost are there all the same, and count. */
  private async adopt(): Promise<void> {
    await this.until(async () => {
      const rows = await this.query<Row & { host: HostName; server: string | null; overlay: number | null }>(
        `SELECT jobs.id, operation, hosts.name AS host, server_name AS server, overlay_id AS overlay
         FROM jobs JOIN hosts ON hosts.id = host_id WHERE jobs.id > $1`,
        [this.before],
      );
      for (const { id, operation, host, server, overlay } of rows) {
        if (this.known.has(id)) continue;
        if (!this.unsure) return `job ${id} was queued by nobody`;
        const places = servers.find((one) => one.name === server)?.overlays ?? [];
        const perhaps = places.map((place) => this.overlays[place] ?? 0);
        this.add({ id, operation: operation as Operation, host, server, overlay, needs: [], perhaps });
      }
      return null;
    });
  }

  /** @throws Violation when the complaint does not go away in time */
  private async until(complaint: () => Promise<string | null>, since?: () => number): Promise<void> {
    const began = now();
    let text: string | null = null;
    for (;;) {
      try {
        text = await complaint();
        if (text === null) return;
      } catch (error) {
        // PostgreSQL has just come back: connections from before are dead.
        if (!this.postgresFailed || error instanceof Violation) throw error;
        text = String(error);
      }
      const from = since?.() ?? began;
      const limit = Math.max(
        from + CALM_MS,
        this.disturbedAt === null ? 0 : Math.max(this.disturbedAt, from) + DISTURBED_MS,
      );
      if (now() > limit) throw new Violation(`not in time: ${text}`);
      await sleep(5);
    }
  }

  private disturb(): void {
    this.disturbedAt = now();
  }

  /** An answer that may get lost; otherwise it is a violation. */
  private mayFail(error: unknown, member: Member): void {
    if (!this.postgresFailed && member.serving) throw error;
    this.unsure = true;
  }

  private get all(): Known[] {
    return [...this.known.values()].sort((a, b) => a.id - b.id);
  }

  private pick(pick: number, which: (job: Known) => boolean): Known | undefined {
    const some = this.all.filter(which);
    return some[pick % some.length];
  }

  private host(n: number): HostName {
    return (hosts[n % hosts.length] ?? hosts[0]).name;
  }

  /** A process that is there; the first two always are. */
  private member(via: number): Member {
    const { members } = this.fleet;
    const member = members[via % members.length];
    const [first] = members;
    if (!first) throw new Error('a fleet of nobody');
    return member?.up ? member : first;
  }

  private rows(): Promise<Row[]> {
    return this.query<Row>(
      `SELECT id, operation, state, exit_code AS "exitCode", error, twin FROM jobs WHERE id > $1 ORDER BY id`,
      [this.before],
    );
  }

  private async query<T extends object>(sql: string, values: unknown[] = []): Promise<T[]> {
    return (await this.fleet.database.query<T>(sql, values)).rows;
  }
}
