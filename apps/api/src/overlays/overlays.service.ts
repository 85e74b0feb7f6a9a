import { Injectable } from '@nestjs/common';
import { Brackets, DataSource, type EntityManager, type SelectQueryBuilder } from 'typeorm';
import type { Principal } from '../auth/access.js';
import { BlueprintOverlay } from '../blueprints/blueprint-overlay.entity.js';
import { violates } from '../database/violations.js';
import { Jobs } from '../jobs/jobs.service.js';
import type { QueuedJob } from '../jobs/queue/new-jobs.js';
import { type Page, page, type PageQuery } from '../paging/page.js';
import { Conflict, Invalid, NotAllowed, NotFound } from '../problems/problems.js';
import { Announcements } from '../redis/announcements.js';
import type { CreateOverlayBody, UpdateOverlayBody } from './overlay.dto.js';
import { Overlay } from './overlay.entity.js';
import { OverlayRemoval } from './overlay-removal.js';
import { RemovedOverlay } from './removed-overlay.entity.js';

/** The catalog is everybody's to use and the admins' to change; other overlays are their owner's. Admins see and change all. */
@Injectable()
export class Overlays {
  constructor(
    private readonly database: DataSource,
    private readonly jobs: Jobs,
    private readonly announcements: Announcements,
    private readonly removal: OverlayRemoval,
  ) {}

  async list(me: Principal, query: PageQuery): Promise<Page<Overlay>> {
    const rows = this.visible(me)
      .orderBy('overlay.id', 'DESC')
      .take(query.limit + 1);
    if (query.cursor !== undefined) rows.andWhere('overlay.id < :cursor', { cursor: query.cursor });
    return page(await rows.getMany(), query.limit);
  }

  /** @throws NotFound also for somebody else's */
  async get(me: Principal, id: number): Promise<Overlay> {
    const overlay = await this.visible(me).andWhere('overlay.id = :id', { id }).getOne();
    if (!overlay) throw new NotFound(`overlay ${id}`);
    return overlay;
  }

  /** @throws NotFound; NotAllowed for an overlay of the catalog, unless an admin asks */
  async getToChange(me: Principal, id: number): Promise<Overlay> {
    const overlay = await this.get(me, id);
    if (!me.admin && overlay.ownerId === null)
      throw new NotAllowed('Overlays of the catalog are changed by admins only.');
    return overlay;
  }

  async create(me: Principal, body: CreateOverlayBody): Promise<Overlay> {
    const catalog = body.catalog ?? false;
    if (catalog && !me.admin) throw new NotAllowed('Overlays of the catalog are made by admins only.');
    const overlays = this.database.getRepository(Overlay);
    const made = overlays.create({
      name: body.name,
      description: body.description ?? '',
      kind: body.kind ?? 'files',
      ownerId: catalog ? null : me.user.id,
    });
    await named(body.name, () => overlays.insert(made));
    this.announcements.publish({ topic: 'overlay', id: made.id });
    return overlays.findOneByOrFail({ id: made.id });
  }

  async update(me: Principal, id: number, body: UpdateOverlayBody): Promise<Overlay> {
    const overlay = await this.getToChange(me, id);
    const { name, description, missingItems } = body;
    if (missingItems !== undefined && overlay.kind !== 'workshop') {
      throw new Invalid([{ path: 'missingItems', message: 'only overlays of the kind workshop have items' }]);
    }
    const overlays = this.database.getRepository(Overlay);
    await named(name ?? overlay.name, () =>
      overlays.update(id, { name, description, missingItems, updatedAt: new Date() }),
    );
    this.announcements.publish({ topic: 'overlay', id });
    return this.get(me, id);
  }

  /** Queues a build that publishes the draft. */
  async build(me: Principal, id: number, requestId: string | null): Promise<QueuedJob> {
    await this.getToChange(me, id);
    return this.jobs.enqueue({ operation: 'build-overlay', overlayId: id, userId: me.user.id, requestId });
  }

  /**
   * Removes the overlay, then its draft; the rest, and what fails, is left to `OverlayRemoval`.
   * @throws Conflict while blueprints, prepared servers or a job need it
   */
  async remove(me: Principal, id: number): Promise<void> {
    await this.getToChange(me, id);
    await this.database.transaction(async (manager) => {
      // Locked: a job or a blueprint that is about to refer to it waits, and then finds it gone.
      const lock = { mode: 'pessimistic_write' } as const;
      const row = await manager.getRepository(Overlay).findOne({ where: { id }, lock });
      if (!row) throw new NotFound(`overlay ${id}`);
      await this.refuseInUse(me, row, manager);
      await manager.getRepository(Overlay).delete(id);
      await manager.getRepository(RemovedOverlay).insert({ overlayId: id });
    });
    await this.removal.removeDraft(id);
    this.announcements.publish({ topic: 'overlay', id, removed: true });
  }

  private async refuseInUse(me: Principal, overlay: Overlay, manager: EntityManager): Promise<void> {
    const uses = await manager
      .getRepository(BlueprintOverlay)
      .find({ where: { overlayId: overlay.id }, relations: { blueprint: true } });
    if (uses.length > 0) {
      const blueprints = uses.map(({ blueprint }) => blueprint);
      throw new Conflict(`${overlay.name} cannot be deleted: blueprints use it (${told(me, blueprints)}).`);
    }
    const servers = await manager.query<{ name: string; ownerId: number }[]>(
      `SELECT DISTINCT servers.name, servers.owner_id AS "ownerId" FROM servers
         JOIN generations made ON made.server_id = servers.id
         JOIN generation_revisions pin ON pin.generation_id = made.id
         JOIN overlay_revisions revision ON revision.id = pin.revision_id
       WHERE revision.overlay_id = $1 ORDER BY servers.name`,
      [overlay.id],
    );
    if (servers.length > 0) {
      throw new Conflict(
        `${overlay.name} cannot be deleted: servers still have it (${told(me, servers)}). Start them anew or run their delete job first.`,
      );
    }
    if (!(await this.jobs.isIdle({ overlayId: overlay.id }, manager))) {
      throw new Conflict(
        `${overlay.name} cannot be deleted while a build of it waits or runs: wait for it, or cancel it.`,
      );
    }
  }

  private visible(me: Principal): SelectQueryBuilder<Overlay> {
    return this.database
      .getRepository(Overlay)
      .createQueryBuilder('overlay')
      .where(
        new Brackets((where) =>
          me.admin ? where.where('true') : where.where('overlay.ownerId IS NULL').orWhere({ ownerId: me.user.id }),
        ),
      );
  }
}

/** The names of those the caller may see, and how many others there are. */
function told(me: Principal, things: readonly { name: string; ownerId: number }[]): string {
  const seen = things.filter(({ ownerId }) => me.admin || ownerId === me.user.id).map(({ name }) => name);
  const others = things.length - seen.length;
  return [...seen, ...(others > 0 ? [`${others} of somebody else`] : [])].join(', ');
}

async function named<T>(name: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!violates(error, 'overlays_own_name') && !violates(error, 'overlays_catalog_name')) throw error;
    throw new Conflict(`There is an overlay named ${name} already.`, { cause: error });
  }
}
