import { Injectable } from '@nestjs/common';
import { Brackets, DataSource, type EntityManager, type SelectQueryBuilder } from 'typeorm';
import type { Principal } from '../auth/access.js';
import { violates, violatesReference } from '../database/violations.js';
import { type Page, page, type PageQuery } from '../paging/page.js';
import { Conflict, NotFound } from '../problems/problems.js';
import { Announcements } from '../redis/announcements.js';
import { announceServersOf } from '../servers/announce-servers.js';
import { seesServer } from '../servers/server-access.js';
import { Server } from '../servers/server.entity.js';
import { checkedContent, emptyContent, secretNames, settle } from './blueprint-content.js';
import { BlueprintOverlay } from './blueprint-overlay.entity.js';
import type { BlueprintOverlayBody, CreateBlueprintBody, UpdateBlueprintBody } from './blueprint.dto.js';
import { Blueprint } from './blueprint.entity.js';
import { usableOverlays } from './usable-overlays.js';

/** Blueprints are private to their owner; admins see and change all. */
@Injectable()
export class Blueprints {
  constructor(
    private readonly database: DataSource,
    private readonly announcements: Announcements,
  ) {}

  async list(me: Principal, query: PageQuery): Promise<Page<Blueprint>> {
    const rows = this.visible(me)
      .orderBy('blueprint.id', 'DESC')
      .take(query.limit + 1);
    if (query.cursor !== undefined) rows.andWhere('blueprint.id < :cursor', { cursor: query.cursor });
    return page(await rows.getMany(), query.limit);
  }

  /** @throws NotFound also for somebody else's */
  async get(me: Principal, id: number): Promise<Blueprint> {
    const blueprint = await this.visible(me).andWhere('blueprint.id = :id', { id }).getOne();
    if (!blueprint) throw new NotFound(`blueprint ${id}`);
    return blueprint;
  }

  async create(me: Principal, body: CreateBlueprintBody): Promise<Blueprint> {
    const ownerId = me.user.id;
    const content = checkedContent(body, emptyContent, await secretNames(this.database.manager, ownerId));
    const id = await this.write(body.name, async (manager) => {
      const blueprints = manager.getRepository(Blueprint);
      const { name, description } = body;
      const made = await blueprints.save(blueprints.create({ ownerId, name, description, ...content }));
      await this.place(manager, made, body.overlays ?? []);
      await settle(manager, await blueprints.findOneByOrFail({ id: made.id }));
      return made.id;
    });
    return this.get(me, id);
  }

  async update(me: Principal, id: number, body: UpdateBlueprintBody): Promise<Blueprint> {
    const blueprint = await this.get(me, id);
    const { name, description } = body;
    const content = checkedContent(body, blueprint, await secretNames(this.database.manager, blueprint.ownerId));
    await this.write(name ?? blueprint.name, async (manager) => {
      const blueprints = manager.getRepository(Blueprint);
      // updatedAt is written even when only the order of the overlays changes.
      await blueprints.update(id, { name, description, ...content, updatedAt: new Date() });
      await settle(manager, await blueprints.findOneByOrFail({ id }));
      if (body.overlays) {
        await manager.getRepository(BlueprintOverlay).delete({ blueprintId: id });
        await this.place(manager, blueprint, body.overlays);
      }
    });
    await announceServersOf({ blueprintId: id }, this.database, this.announcements);
    return this.get(me, id);
  }

  /** @throws Conflict while servers are made from it, naming those that the caller may see */
  async remove(me: Principal, id: number): Promise<void> {
    const blueprint = await this.get(me, id);
    await this.refuseWithServers(me, blueprint);
    try {
      await this.database.getRepository(Blueprint).delete(id);
    } catch (error) {
      if (violatesReference(error)) await this.refuseWithServers(me, blueprint);
      throw error;
    }
  }

  private async refuseWithServers(me: Principal, blueprint: Blueprint): Promise<void> {
    const servers = await this.database
      .getRepository(Server)
      .find({ where: { blueprintId: blueprint.id }, order: { name: 'ASC' } });
    if (servers.length === 0) return;
    const seen = servers.filter((server) => seesServer(me, server)).map((server) => server.name);
    const others = servers.length - seen.length;
    const list = [...seen, ...(others > 0 ? [`${others} of somebody else`] : [])].join(', ');
    throw new Conflict(
      `${blueprint.name} cannot be deleted: servers are made from it (${list}). Move or delete them first.`,
    );
  }

  /** The names of the secrets that a blueprint's texts may use: its owner's, or those of whoever asks. */
  async secretNames(me: Principal, id: number | undefined): Promise<ReadonlySet<string>> {
    const ownerId = id === undefined ? me.user.id : (await this.get(me, id)).ownerId;
    return secretNames(this.database.manager, ownerId);
  }

  /** Writes the blueprint's overlays in the order given. */
  private async place(
    manager: EntityManager,
    blueprint: Pick<Blueprint, 'id' | 'ownerId'>,
    overlays: BlueprintOverlayBody[],
  ) {
    await usableOverlays(manager, blueprint.ownerId, overlays);
    await manager.getRepository(BlueprintOverlay).insert(
      overlays.map(({ overlayId, exposeServerCfg }, position) => ({
        blueprintId: blueprint.id,
        position,
        overlayId,
        exposeServerCfg: exposeServerCfg ?? false,
      })),
    );
  }

  private async write<T>(name: string, work: (manager: EntityManager) => Promise<T>): Promise<T> {
    try {
      return await this.database.transaction(work);
    } catch (error) {
      if (violates(error, 'blueprints_name'))
        throw new Conflict(`There is a blueprint named ${name} already.`, { cause: error });
      throw error;
    }
  }

  private visible(me: Principal): SelectQueryBuilder<Blueprint> {
    const rows = this.database
      .getRepository(Blueprint)
      .createQueryBuilder('blueprint')
      .innerJoinAndSelect('blueprint.owner', 'owner');
    return rows.where(new Brackets((where) => (me.admin ? where.where('true') : where.where({ ownerId: me.user.id }))));
  }
}
