import { setTimeout as pause } from 'node:timers/promises';
import { HostError, Interrupted, KeyedLock, type Placing, type Run } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Conflict, NotFound } from '../problems/problems.js';
import { DraftHealing } from './draft-healing.js';
import { LEASE_SECONDS } from './draft-lease.entity.js';
import { whileRenewing } from './lease-renewal.js';

const LOOK_MS = 50;
/** Longer than somebody's who was killed. */
const PATIENCE_MS = (LEASE_SECONDS + 15) * 1000;
/** For a build: the API may be restarted meanwhile, and makes a folder whole within seconds of that. */
const MADE_WHOLE_MS = 5 * 60_000;

interface Named {
  id: number;
  name: string;
}

/** When the draft was changed last, before and by what is going on; the database's own texts, to the microsecond. */
interface Marked {
  before: string | null;
  now: string;
}

/**
 * Keeps the moments in which drafts change apart from the builds that copy them, without a lock or a connection held meanwhile.
 * Both sides write first and look then: a change writes its lease and looks for a running build, a build is running and looks for
 * leases. So at least one of two that meet sees the other: the change is refused, the build waits. Of one draft there is one change at a time.
 */
@Injectable()
export class DraftLeases {
  private readonly changes = new KeyedLock('waiting for a change of the draft');
  madeWholeMs = MADE_WHOLE_MS;

  constructor(
    private readonly database: DataSource,
    private readonly healing: DraftHealing,
  ) {}

  /**
   * Makes a change of a draft that was prepared, in a short time. The overlay counts as changed from before it; not when the change
   * was refused (`HostError`), which changes nothing.
   * @param placing what is to be made whole should this process be killed in the middle
   * @throws Conflict while a build runs; NotFound when the overlay is gone, `change` has not run then
   */
  async during<T>(overlay: Named, change: () => Promise<T>, placing?: Placing): Promise<T> {
    return this.changes.hold(String(overlay.id), () => this.alone(overlay, change, placing));
  }

  private async alone<T>(overlay: Named, change: () => Promise<T>, placing?: Placing): Promise<T> {
    const lease = await this.take(overlay);
    this.healing.inUse.add(lease);
    try {
      return await whileRenewing(this.database, lease, () => this.marked(overlay, lease, change, placing));
    } finally {
      this.healing.inUse.delete(lease);
      await this.database.query(`DELETE FROM draft_leases WHERE id = $1`, [lease]);
    }
  }

  private async marked<T>(overlay: Named, lease: number, change: () => Promise<T>, placing?: Placing): Promise<T> {
    const marked = await this.mark(overlay);
    try {
      if (placing) await this.note(overlay, lease, placing);
      const done = await change();
      await this.changed(overlay.id);
      return done;
    } catch (error) {
      if (error instanceof HostError) await this.unmark(overlay.id, marked);
      throw error;
    }
  }

  /**
   * For a build that is running: resolves when the draft is whole, nobody changes it, and nobody can until the build has ended.
   * @throws Conflict when a folder that a killed process was changing is not made whole for long
   */
  async none(overlayId: number, { signal, output }: Run): Promise<void> {
    for (let abandonedAt: number | null = null; ; await pause(LOOK_MS)) {
      const [lease] = await this.database.query<{ abandoned: boolean }[]>(
        `SELECT expires_at <= clock_timestamp() AS abandoned FROM draft_leases
         WHERE overlay_id = $1 AND (expires_at > clock_timestamp() OR aside IS NOT NULL)`,
        [overlayId],
      );
      if (lease === undefined) break;
      if (signal.aborted) throw new Interrupted('waiting for a change of the draft');
      if (abandonedAt !== null && Date.now() - abandonedAt > this.madeWholeMs) throw new Conflict(NOT_WHOLE);
      if (!lease.abandoned || abandonedAt !== null) continue;
      abandonedAt = Date.now();
      await output.write(
        'stderr',
        'The API was killed while it replaced a folder or merged something into it: waiting until it has made that whole.',
      );
    }
    await this.database.query(
      `DELETE FROM draft_leases WHERE overlay_id = $1 AND expires_at <= clock_timestamp() AND aside IS NULL`,
      [overlayId],
    );
  }

  /** Waits for others, and ends what a killed one has left. */
  private async take({ id, name }: Named): Promise<number> {
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await pause(LOOK_MS)) {
      const [row] = await this.database.query<{ id: number }[]>(
        `INSERT INTO draft_leases (overlay_id, expires_at)
         SELECT id, clock_timestamp() + make_interval(secs => $2) FROM overlays WHERE id = $1
         ON CONFLICT (overlay_id) DO NOTHING RETURNING id`,
        [id, LEASE_SECONDS],
      );
      if (row) return row.id;
      const there = await this.database.query<unknown[]>(`SELECT FROM overlays WHERE id = $1`, [id]);
      if (there.length === 0) throw new NotFound(`overlay ${id}`);
      await this.healing.heal(id);
    }
    throw new Conflict(`Somebody else is changing the files of ${name}: try again in a moment.`);
  }

  /**
   * Once no build runs and the draft counts as changed: what is noted is made whole whenever the lease has expired.
   * @throws Conflict when it has expired already, as in a process that stood still: a build may be copying the draft by now
   */
  private async note({ name }: Named, lease: number, { mode, path, aside }: Placing): Promise<void> {
    const [replaces, merges] = mode === 'replace' ? [path, null] : [null, path];
    const [noted] = await this.database.query<[unknown[], number]>(
      `UPDATE draft_leases SET replaces = $2, merges = $3, aside = $4
       WHERE id = $1 AND expires_at > clock_timestamp() RETURNING id`,
      [lease, replaces, merges, aside],
    );
    if (noted.length > 0) return;
    throw new Conflict(`The panel stood still before it changed the files of ${name}, and changed nothing: try again.`);
  }

  /** Before the change: a kill in the middle of it leaves a draft that counts as changed. The database's clock, as for builds. */
  private async mark({ id, name }: Named): Promise<Marked> {
    const [rows] = await this.database.query<[Marked[], number]>(
      `UPDATE overlays SET draft_changed_at = clock_timestamp()
       FROM (SELECT draft_changed_at::text AS before FROM overlays WHERE id = $1 FOR UPDATE) was
       WHERE id = $1 AND NOT EXISTS (SELECT FROM jobs WHERE ${RUNNING_BUILD})
       RETURNING was.before, draft_changed_at::text AS now`,
      [id],
    );
    if (rows[0]) return rows[0];
    await this.refuseWhileBuilding({ id, name });
    throw new Conflict(`${name} was being built, or was deleted, a moment ago: look again.`);
  }

  /** @throws Conflict naming the build that runs */
  async refuseWhileBuilding({ id, name }: Named): Promise<void> {
    const [build] = await this.database.query<{ id: number }[]>(`SELECT id FROM jobs WHERE ${RUNNING_BUILD} LIMIT 1`, [
      id,
    ]);
    if (!build) return;
    throw new Conflict(`${name} is being built by job ${build.id}: its files can be changed when that has ended.`);
  }

  /** Afterwards as well: what was computed from the draft in between is not kept as what it is now. */
  private async changed(overlayId: number): Promise<void> {
    await this.database.query(`UPDATE overlays SET draft_changed_at = clock_timestamp() WHERE id = $1`, [overlayId]);
  }

  private async unmark(overlayId: number, { before, now }: Marked): Promise<void> {
    await this.database.query(
      `UPDATE overlays SET draft_changed_at = $2::timestamptz WHERE id = $1 AND draft_changed_at = $3::timestamptz`,
      [overlayId, before, now],
    );
  }
}

const NOT_WHOLE =
  'The draft is not whole: the API was killed while it changed a folder in it, and cannot mend that. Its log says why.';

/** The jobs that copy the draft of the overlay $1 now. */
const RUNNING_BUILD = `overlay_id = $1 AND operation = 'build-overlay' AND state IN ('running', 'cancelling')`;
