import { setTimeout as pause } from 'node:timers/promises';
import { HostError, Interrupted } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Conflict, NotFound } from '../problems/problems.js';

const LEASE_SECONDS = 30;
const RENEWED_MS = 10_000;
const LOOK_MS = 50;

/** When the draft was changed last, before and by what is going on; the database's own texts, to the microsecond. */
interface Marked {
  before: string | null;
  now: string;
}

/**
 * Keeps the moments in which drafts change apart from the builds that copy them, without a lock or a connection held meanwhile.
 * Both sides write first and look then: a change writes its lease and looks for a running build, a build is running and looks for
 * leases. So at least one of two that meet sees the other: the change is refused, the build waits.
 */
@Injectable()
export class DraftLeases {
  constructor(private readonly database: DataSource) {}

  /**
   * Makes a change of a draft that was prepared, in a short time. The overlay counts as changed from before it; not when the change
   * was refused (`HostError`), which changes nothing.
   * @throws Conflict while a build runs; NotFound when the overlay is gone, `change` has not run then
   */
  async during<T>(overlay: { id: number; name: string }, change: () => Promise<T>): Promise<T> {
    const lease = await this.take(overlay.id);
    const renewal = setInterval(() => void this.renew(lease), RENEWED_MS);
    try {
      const marked = await this.mark(overlay);
      try {
        const done = await change();
        await this.changed(overlay.id);
        return done;
      } catch (error) {
        if (error instanceof HostError) await this.unmark(overlay.id, marked);
        throw error;
      }
    } finally {
      clearInterval(renewal);
      await this.database.query(`DELETE FROM draft_leases WHERE id = $1`, [lease]);
    }
  }

  /** For a build that is running: resolves when nobody changes the draft, and nobody can until the build has ended. */
  async none(overlayId: number, signal: AbortSignal): Promise<void> {
    const open = `SELECT 1 FROM draft_leases WHERE overlay_id = $1 AND expires_at > clock_timestamp() LIMIT 1`;
    while ((await this.database.query<unknown[]>(open, [overlayId])).length > 0) {
      if (signal.aborted) throw new Interrupted('waiting for a change of the draft');
      await pause(LOOK_MS);
    }
    await this.database.query(`DELETE FROM draft_leases WHERE overlay_id = $1`, [overlayId]);
  }

  private async take(overlayId: number): Promise<number> {
    const [row] = await this.database.query<{ id: number }[]>(
      `INSERT INTO draft_leases (overlay_id, expires_at)
       SELECT id, clock_timestamp() + make_interval(secs => $2) FROM overlays WHERE id = $1 RETURNING id`,
      [overlayId, LEASE_SECONDS],
    );
    if (!row) throw new NotFound(`overlay ${overlayId}`);
    return row.id;
  }

  /** When this fails the lease expires, and the next renewal or the build tells. */
  private async renew(lease: number): Promise<void> {
    await this.database
      .query(`UPDATE draft_leases SET expires_at = clock_timestamp() + make_interval(secs => $2) WHERE id = $1`, [
        lease,
        LEASE_SECONDS,
      ])
      .catch(() => undefined);
  }

  /** Before the change: a kill in the middle of it leaves a draft that counts as changed. The database's clock, as for builds. */
  private async mark({ id, name }: { id: number; name: string }): Promise<Marked> {
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
  async refuseWhileBuilding({ id, name }: { id: number; name: string }): Promise<void> {
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

/** The jobs that copy the draft of the overlay $1 now. */
const RUNNING_BUILD = `overlay_id = $1 AND operation = 'build-overlay' AND state IN ('running', 'cancelling')`;
