import { setTimeout as sleep } from 'node:timers/promises';
import { HostError, type Placing } from '@left4me/host';
import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { RunningSettings } from '../config/settings.js';
import { Conflict } from '../problems/problems.js';
import { Announcements } from '../redis/announcements.js';
import { LEASE_SECONDS } from './draft-lease.entity.js';
import { whileRenewing } from './lease-renewal.js';
import { OverlayTrees } from './overlay-trees.js';

const EVERY_MS = 3_000;

interface Abandoned {
  overlayId: number;
  replaces: string | null;
  merges: string | null;
  aside: string | null;
}

const MENDED = { replace: 'put back', merge: 'merged to its end' } as const;

/**
 * Ends the leases of processes that were killed while they changed a draft: a folder that was to be replaced, and had been moved aside,
 * is put back, and what was to be merged into one is merged to its end. Done by the API alone, since nobody else may write drafts.
 */
@Injectable()
export class DraftHealing implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Drafts');
  private readonly abort = new AbortController();
  private keeping: Promise<void> = Promise.resolve();
  private failing = false;
  /** Leases that this process uses itself: not abandoned, however late they are renewed. */
  readonly inUse = new Set<number>();
  /** The names aside of what could not be made whole, so that each is logged once. */
  private readonly told = new Set<string>();

  constructor(
    private readonly database: DataSource,
    private readonly trees: OverlayTrees,
    private readonly settings: RunningSettings,
    private readonly announcements: Announcements,
  ) {}

  onApplicationBootstrap(): void {
    if (this.settings.apiEnabled && this.trees.here) this.keeping = this.keep();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.abort.abort();
    await this.keeping;
  }

  /**
   * @param overlayId null: of all overlays, and one that fails stops no other
   * @throws Conflict when a folder cannot be made whole; it is tried again the next time
   */
  async heal(overlayId: number | null): Promise<void> {
    const expired = await this.database.query<{ id: number }[]>(
      `SELECT id FROM draft_leases
       WHERE expires_at <= clock_timestamp() AND ($1::integer IS NULL OR overlay_id = $1) AND id <> ALL ($2)`,
      [overlayId, [...this.inUse]],
    );
    const failed: unknown[] = [];
    for (const { id } of expired) await this.end(id).catch((error: unknown) => failed.push(error));
    if (failed.length > 0) throw failed[0];
  }

  private async end(id: number): Promise<void> {
    // Taken over first, as a lease of this process: of several one heals, and builds go on waiting.
    const [[abandoned]] = await this.database.query<[Abandoned[], number]>(
      `UPDATE draft_leases SET expires_at = clock_timestamp() + make_interval(secs => $1)
       WHERE id = $2 AND expires_at <= clock_timestamp()
       RETURNING overlay_id AS "overlayId", replaces, merges, aside`,
      [LEASE_SECONDS, id],
    );
    if (abandoned === undefined) return;
    const { overlayId, replaces, merges, aside } = abandoned;
    const path = replaces ?? merges;
    if (path !== null && aside !== null) {
      const placing: Placing = { mode: replaces === null ? 'merge' : 'replace', path, aside };
      try {
        await whileRenewing(this.database, id, () => this.makeWhole(overlayId, placing));
      } catch (error) {
        // Abandoned again: whoever comes next tries at once, and is told the same; builds see that nobody changes the draft.
        await this.database.query(`UPDATE draft_leases SET expires_at = clock_timestamp() WHERE id = $1`, [id]);
        throw error;
      }
    }
    await this.database.query(`DELETE FROM draft_leases WHERE id = $1`, [id]);
  }

  private async makeWhole(overlayId: number, placing: Placing): Promise<void> {
    const { files, tree } = this.trees.draft(overlayId);
    const where = `${JSON.stringify(placing.path)} of overlay ${overlayId}`;
    try {
      if (!(await files.makeWhole(tree, placing))) return;
    } catch (error) {
      if (!(error instanceof HostError)) throw this.notMended(where, placing, error);
      this.logger.warn(
        `${where} was not ${MENDED[placing.mode]}, drafts/.tmp/${placing.aside} is removed when it is a day old: ${error.message}`,
      );
      return;
    }
    // What was counted without it is not kept.
    await this.database.query(`UPDATE overlays SET draft_changed_at = clock_timestamp() WHERE id = $1`, [overlayId]);
    this.announcements.publish({ topic: 'overlay', id: overlayId });
    this.logger.log(`${where} was ${MENDED[placing.mode]}: a process was killed while it changed that.`);
  }

  private notMended(where: string, { mode, aside }: Placing, cause: unknown): Conflict {
    const why = `${where} cannot be ${MENDED[mode]} from drafts/.tmp/${aside} after a process was killed while it changed that`;
    if (!this.told.has(aside)) this.logger.error(`${why}: ${String(cause)}`);
    this.told.add(aside);
    const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
    return new Conflict(`${why}${code}. It is tried again; the panel's log says more.`, { cause });
  }

  private async keep(): Promise<void> {
    const { signal } = this.abort;
    while (!signal.aborted) {
      await this.look();
      await sleep(EVERY_MS, null, { signal }).catch(() => undefined); // the end of the process ends the pause
    }
  }

  private async look(): Promise<void> {
    try {
      await this.heal(null);
      this.failing = false;
    } catch (error) {
      const inTheLog = this.failing || error instanceof Conflict;
      if (!inTheLog) this.logger.warn(`Interrupted changes of drafts are not mended: ${String(error)}`);
      this.failing = !(error instanceof Conflict);
    }
  }
}
