import { type Differences, TimedOut } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Principal } from '../auth/access.js';
import { type Page, page, type PageQuery } from '../paging/page.js';
import { Conflict, NotFound, Unavailable } from '../problems/problems.js';
import { UserPlaces } from '../problems/user-places.js';
import { Announcements } from '../redis/announcements.js';
import { announceServersOf } from '../servers/announce-servers.js';
import { seesServer } from '../servers/server-access.js';
import { Overlay } from './overlay.entity.js';
import { onTree, OverlayTrees } from './overlay-trees.js';
import { revisionView, userNamesOf } from './overlay-views.js';
import { Overlays } from './overlays.service.js';
import type { DiffQuery, RevisionItem } from './revision.dto.js';
import { OverlayRevision } from './revision.entity.js';

/** A page of a comparison that has to read whole files ends after this time, ms; one file may take longer. */
const COMPARE_MS = 5_000;
const COMPARE_LONGEST_MS = 60_000;
const COMPARED_AT_ONCE = 4;

/** The published revisions of an overlay: which there are, which is current, how they differ. */
@Injectable()
export class Revisions {
  private readonly comparing = new UserPlaces(
    COMPARED_AT_ONCE,
    `making ${COMPARED_AT_ONCE} comparisons, or another one of yours`,
  );

  constructor(
    private readonly database: DataSource,
    private readonly overlays: Overlays,
    private readonly trees: OverlayTrees,
    private readonly announcements: Announcements,
  ) {}

  async list(me: Principal, overlayId: number, query: PageQuery): Promise<Page<RevisionItem>> {
    await this.overlays.get(me, overlayId);
    const rows = this.database
      .getRepository(OverlayRevision)
      .createQueryBuilder('revision')
      .where('revision.overlayId = :overlayId', { overlayId })
      .orderBy('revision.id', 'DESC')
      .take(query.limit + 1);
    if (query.cursor !== undefined) rows.andWhere('revision.id < :cursor', { cursor: query.cursor });
    const { items, nextCursor } = page(await rows.getMany(), query.limit);
    const [userNames, servers] = await Promise.all([userNamesOf(this.database, items), this.serversOf(me, items)]);
    const views = items.map((revision) =>
      Object.assign(revisionView(revision, userNames), { servers: servers.get(revision.id) ?? [] }),
    );
    return { items: views, nextCursor };
  }

  /**
   * Makes an earlier (or again a later) revision the one that new generations get. Nothing is copied; servers that run notice nothing.
   * @throws NotFound when it is gone; Conflict while a build is unfinished, which would decide that itself
   */
  async makeCurrent(me: Principal, overlayId: number, number: number): Promise<Overlay> {
    const overlay = await this.overlays.getToChange(me, overlayId);
    await this.database.transaction(async (manager) => {
      // Locked: a build that is about to be queued waits, and then comes after this.
      const lock = { mode: 'pessimistic_write' } as const;
      await manager.getRepository(Overlay).findOne({ where: { id: overlayId }, lock });
      const [build] = await manager.query<{ id: number }[]>(
        `SELECT id FROM jobs WHERE overlay_id = $1 AND finished_at IS NULL ORDER BY id LIMIT 1`,
        [overlayId],
      );
      if (build) {
        throw new Conflict(`${overlay.name} is being built by job ${build.id}: wait for its end, or cancel it.`);
      }
      const revisions = manager.getRepository(OverlayRevision);
      const wanted = await revisions.findOneBy({ overlayId, number });
      if (!wanted) throw new NotFound(`revision ${number} of overlay ${overlayId}`);
      if (wanted.current) return;
      const newer = await revisions
        .createQueryBuilder('revision')
        .where('revision.overlayId = :overlayId AND revision.number > :number', { overlayId, number })
        .getExists();
      await revisions.update({ overlayId, current: true }, { current: false, returnedAt: null });
      // The database's clock, as for the builds it is compared with.
      const returnedAt = newer ? () => 'clock_timestamp()' : null;
      await revisions.update(wanted.id, { current: true, returnedAt });
    });
    this.announcements.publish({ topic: 'overlay', id: overlayId });
    await announceServersOf({ overlayId }, this.database, this.announcements);
    return this.overlays.get(me, overlayId);
  }

  /** @param signal aborted when nobody waits for the answer any more: comparing may read whole files */
  async differences(
    me: Principal,
    overlayId: number,
    from: number,
    query: DiffQuery,
    signal: AbortSignal,
  ): Promise<Differences> {
    await this.overlays.get(me, overlayId);
    const to = query.to === 'draft' ? 'draft' : Number(query.to);
    await this.requireRevision(overlayId, from);
    if (to !== 'draft') await this.requireRevision(overlayId, to);
    const { limit, cursor } = query;
    const behind = cursor === undefined ? {} : { behind: cursor };
    const part = { limit, ...behind, timeLimitMs: COMPARE_MS, longestMs: COMPARE_LONGEST_MS, signal };
    const compare = () => this.trees.differences(overlayId, from, to, part);
    return onTree('the draft', () => this.comparing.hold(me.user.id, compare, signal).catch(notInTime));
  }

  private async requireRevision(overlayId: number, number: number): Promise<void> {
    const known = await this.database.getRepository(OverlayRevision).existsBy({ overlayId, number });
    if (!known) throw new NotFound(`revision ${number} of overlay ${overlayId}`);
  }

  /** Names of the servers whose generations pin them, by revision id. */
  private async serversOf(me: Principal, revisions: readonly OverlayRevision[]): Promise<Map<number, string[]>> {
    const rows = await this.database.query<{ revisionId: number; id: number; name: string; ownerId: number }[]>(
      `SELECT DISTINCT pin.revision_id AS "revisionId", servers.id, servers.name, servers.owner_id AS "ownerId"
       FROM generation_revisions pin JOIN generations made ON made.id = pin.generation_id
         JOIN servers ON servers.id = made.server_id
       WHERE pin.revision_id = ANY ($1) ORDER BY servers.name`,
      [revisions.map(({ id }) => id)],
    );
    const names = new Map<number, string[]>();
    for (const row of rows.filter((server) => seesServer(me, server))) {
      names.set(row.revisionId, [...(names.get(row.revisionId) ?? []), row.name]);
    }
    return names;
  }
}

function notInTime(error: unknown): never {
  if (error instanceof TimedOut) throw new Unavailable(`One file is too large: ${error.message}.`, { cause: error });
  throw error;
}
