import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { Principal } from '../auth/access.js';
import type { Overlay } from '../overlays/overlay.entity.js';
import { Overlays } from '../overlays/overlays.service.js';
import { Conflict, Invalid, NotFound, Unavailable } from '../problems/problems.js';
import { Announcements } from '../redis/announcements.js';
import { fileNameOf } from './file-name.js';
import { publishedFileId } from './published-file-id.js';
import { Steam } from './steam.js';
import { MAX_ADDED, type WorkshopItemList } from './workshop.dto.js';
import { WorkshopItem } from './workshop-item.entity.js';
import { forgetUnreachable, markChanged, WorkshopRecords } from './workshop-records.js';
import { WorkshopViews } from './workshop-views.js';

/** The items of Workshop overlays: listed, added, renamed, removed, and looked up at Steam. */
@Injectable()
export class WorkshopItems {
  constructor(
    private readonly database: DataSource,
    private readonly overlays: Overlays,
    private readonly announcements: Announcements,
    private readonly records: WorkshopRecords,
    private readonly views: WorkshopViews,
    private readonly steam: Steam,
  ) {}

  async list(me: Principal, id: number): Promise<WorkshopItemList> {
    requireWorkshop(await this.overlays.get(me, id));
    return this.answer(id, null);
  }

  /** Adds all or none; Steam is asked for their titles, but need not answer. @throws Invalid naming every wrong entry */
  async add(me: Principal, id: number, given: readonly string[]): Promise<WorkshopItemList> {
    requireWorkshop(await this.overlays.getToChange(me, id));
    const ids = parseIds(given);
    const added = await this.change(id, async (manager) => {
      const before = await manager.countBy(WorkshopItem, { overlayId: id, listed: true });
      await manager.query(
        `INSERT INTO workshop_items (overlay_id, published_file_id, listed) SELECT $1, added, true
           FROM unnest($2::text[]) WITH ORDINALITY AS given (added, place) ORDER BY place
         ON CONFLICT (overlay_id, published_file_id) DO UPDATE SET listed = true`,
        [id, ids],
      );
      const listed = await manager.countBy(WorkshopItem, { overlayId: id, listed: true });
      if (listed > MAX_ADDED) {
        throw new Conflict(
          `An overlay has ${MAX_ADDED} items at most, besides those in its collections; these would be ${listed}.`,
        );
      }
      return listed - before;
    });
    const notice = await this.lookUp(id, ids).catch((error: unknown) => tellUnavailable(error, added));
    return this.answer(id, notice);
  }

  /** Gives an item's file a name of its own, or takes it away. */
  async rename(me: Principal, id: number, item: string, fileName: string | null): Promise<WorkshopItemList> {
    requireWorkshop(await this.overlays.getToChange(me, id));
    await this.change(id, async (manager) => {
      const rows = await manager.findBy(WorkshopItem, { overlayId: id });
      const row = rows.find(({ publishedFileId: file }) => file === item);
      if (!row) throw new NotFound(`item ${item} in overlay ${id}`);
      if (row.kind === 'collection') {
        throw new Conflict(`${nameOf(row)} is a collection, which has no file of its own.`);
      }
      const name = fileNameOf({ publishedFileId: item, fileName });
      const other = rows.find(
        (candidate) => candidate.id !== row.id && candidate.kind !== 'collection' && fileNameOf(candidate) === name,
      );
      if (other) throw new Conflict(`${nameOf(other)} is called ${name} already.`);
      await manager.update(WorkshopItem, row.id, { fileName });
    });
    return this.list(me, id);
  }

  async remove(me: Principal, id: number, item: string): Promise<void> {
    requireWorkshop(await this.overlays.getToChange(me, id));
    await this.change(id, async (manager) => {
      const row = await manager.findOneBy(WorkshopItem, { overlayId: id, publishedFileId: item });
      if (!row) throw new NotFound(`item ${item} in overlay ${id}`);
      if (!row.listed) {
        throw new Conflict(`${nameOf(row)} came with a collection: remove that, or ask its author to.`);
      }
      await manager.update(WorkshopItem, row.id, { listed: false });
      await forgetUnreachable(id, manager);
    });
  }

  /** Asks Steam what is new. @throws Unavailable; Conflict when there is too much in the collections */
  async refresh(me: Principal, id: number): Promise<WorkshopItemList> {
    requireWorkshop(await this.overlays.getToChange(me, id));
    const listed = await this.database.getRepository(WorkshopItem).findBy({ overlayId: id, listed: true });
    const notice = await this.lookUp(
      id,
      listed.map(({ publishedFileId: file }) => file),
    );
    return this.answer(id, notice);
  }

  /** All at once (docs/decisions/0124). */
  private async answer(id: number, notice: string | null): Promise<WorkshopItemList> {
    return { items: await this.views.render(id), nextCursor: null, notice };
  }

  /** @returns what Steam had no answer for, if so */
  private async lookUp(id: number, ids: readonly string[]): Promise<string | null> {
    const files = await this.steam.lookUp(ids);
    if (await this.records.save(id, files, { mark: true })) this.announcements.publish({ topic: 'overlay', id });
    const open = files.filter(({ temporary }) => temporary);
    if (open.length === 0) return null;
    return `Steam had no answer for ${open.map((file) => file.id).join(', ')}: ${open[0]?.problem ?? ''}.`;
  }

  /** Changes of one overlay's items are made one after the other, each with the mark that there is something to build. */
  private async change<T>(id: number, work: (manager: EntityManager) => Promise<T>): Promise<T> {
    const done = await this.database.transaction(async (manager) => {
      if (!(await markChanged(id, manager))) throw new NotFound(`overlay ${id}`);
      return work(manager);
    });
    this.announcements.publish({ topic: 'overlay', id });
    return done;
  }
}

/** @throws Conflict */
function requireWorkshop(overlay: Overlay): void {
  if (overlay.kind === 'workshop') return;
  throw new Conflict(`${overlay.name} is no overlay of Workshop items: its kind is ${overlay.kind}.`);
}

function parseIds(given: readonly string[]): string[] {
  const ids = given.map(publishedFileId);
  const wrong = ids.flatMap((id, index) => (id === null ? [index] : []));
  if (wrong.length > 0) {
    throw new Invalid(
      wrong.map((index) => ({
        path: `ids.${index}`,
        message: `${JSON.stringify(given[index]?.slice(0, 100))} is neither the id of an item or a collection nor its address at Steam`,
      })),
    );
  }
  return [...new Set(ids.filter((id) => id !== null))];
}

/** @param added how many there had not been before */
function tellUnavailable(error: unknown, added: number): string {
  const told = added === 0 ? 'All of them were there already' : 'They are added all the same';
  if (error instanceof Conflict) return `${error.message} ${told}, but cannot be built.`;
  if (!(error instanceof Unavailable)) throw error;
  return `${error.message} ${told}; what Steam says of them comes with the next look or build.`;
}

function nameOf({ title, publishedFileId: id }: WorkshopItem): string {
  return title === null ? id : `${title} (${id})`;
}
