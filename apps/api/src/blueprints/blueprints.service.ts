import { Injectable } from '@nestjs/common';
import { Brackets, DataSource, type EntityManager, In, type SelectQueryBuilder } from 'typeorm';
import type { Principal } from '../auth/access.js';
import { violates, violatesReference } from '../database/violations.js';
import { Overlay } from '../overlays/overlay.entity.js';
import { type Page, page, type PageQuery } from '../paging/page.js';
import { Conflict, type FieldError, Invalid, NotFound } from '../problems/problems.js';
import { Announcements } from '../redis/announcements.js';
import { announceServersOf } from '../servers/announce-servers.js';
import { seesServer } from '../servers/server-access.js';
import { Server } from '../servers/server.entity.js';
import { User } from '../users/user.entity.js';
import { checkArguments } from './arguments.js';
import { BlueprintOverlay } from './blueprint-overlay.entity.js';
import type { BlueprintOverlayBody, CreateBlueprintBody, UpdateBlueprintBody } from './blueprint.dto.js';
import { Blueprint } from './blueprint.entity.js';
import { checkConfig, normalizeConfig } from './server-cfg.js';

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
    const texts = checked(body);
    const id = await this.write(body.name, async (manager) => {
      const made = await manager.getRepository(Blueprint).save({
        ownerId: me.user.id,
        name: body.name,
        description: body.description ?? '',
        arguments: texts.arguments ?? [],
        config: texts.config ?? '',
      });
      await this.place(manager, made, body.overlays ?? []);
      return made.id;
    });
    return this.get(me, id);
  }

  async update(me: Principal, id: number, body: UpdateBlueprintBody): Promise<Blueprint> {
    const blueprint = await this.get(me, id);
    const texts = checked(body);
    await this.write(body.name ?? blueprint.name, async (manager) => {
      // updatedAt is written even when only the order of the overlays changes.
      await manager.getRepository(Blueprint).update(id, {
        name: body.name,
        description: body.description,
        arguments: texts.arguments,
        config: texts.config,
        updatedAt: new Date(),
      });
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

  /** Writes the blueprint's overlays in the order given. */
  private async place(
    manager: EntityManager,
    blueprint: Pick<Blueprint, 'id' | 'ownerId'>,
    overlays: BlueprintOverlayBody[],
  ) {
    const errors: FieldError[] = [];
    const owner = await manager.getRepository(User).findOneByOrFail({ id: blueprint.ownerId });
    // Locked, so that an overlay that is being deleted at this moment is either gone here or kept by the reference.
    const found = await manager
      .getRepository(Overlay)
      .createQueryBuilder('overlay')
      .setLock('for_key_share')
      .where({ id: In(overlays.map((entry) => entry.overlayId)) })
      .getMany();
    const byId = new Map(found.map((overlay) => [overlay.id, overlay]));
    const taken = new Set<number>();
    for (const [index, { overlayId }] of overlays.entries()) {
      const path = `overlays.${index}.overlayId`;
      const overlay = byId.get(overlayId);
      const visible = overlay && (overlay.ownerId === null || overlay.ownerId === owner.id || owner.role === 'admin');
      if (!visible) errors.push({ path, message: `there is no overlay ${overlayId}` });
      else if (taken.has(overlayId)) errors.push({ path, message: `${overlay.name} is there already` });
      taken.add(overlayId);
    }
    if (errors.length > 0) throw new Invalid(errors);
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

/** The texts of a body as they are stored. Throws Invalid naming every field that breaks a rule. */
function checked(body: UpdateBlueprintBody): { arguments?: string[]; config?: string } {
  const config = body.config === undefined ? undefined : normalizeConfig(body.config);
  const errors = [...checkArguments(body.arguments ?? []), ...checkConfig(config ?? '')];
  if (errors.length > 0) throw new Invalid(errors);
  return { arguments: body.arguments, config };
}
