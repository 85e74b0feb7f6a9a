import { Injectable } from '@nestjs/common';
import { DataSource, In } from 'typeorm';
import type { Principal } from '../auth/access.js';
import { OverlayRevision } from '../overlays/revision.entity.js';
import { Server } from '../servers/server.entity.js';
import { seesServer } from '../servers/server-access.js';
import { BlueprintOverlay } from './blueprint-overlay.entity.js';
import { Blueprint } from './blueprint.entity.js';
import type { BlueprintView } from './blueprint.dto.js';
import { mayUse } from './usable-overlays.js';

/** Blueprints as the API shows them, many at once with a fixed number of queries. */
@Injectable()
export class BlueprintViews {
  constructor(private readonly database: DataSource) {}

  /** @param blueprints with their owners loaded */
  async render(blueprints: readonly Blueprint[], me: Principal): Promise<BlueprintView[]> {
    if (blueprints.length === 0) return [];
    const blueprintId = In(blueprints.map((blueprint) => blueprint.id));
    const [places, servers] = await Promise.all([
      this.database.getRepository(BlueprintOverlay).find({
        where: { blueprintId },
        relations: { overlay: true },
        order: { position: 'ASC' },
      }),
      this.database.getRepository(Server).find({ where: { blueprintId }, order: { name: 'ASC', id: 'ASC' } }),
    ]);
    const current = await this.database.getRepository(OverlayRevision).find({
      where: { overlayId: In([...new Set(places.map((place) => place.overlayId))]), current: true },
    });
    const numbers = new Map(current.map((revision) => [revision.overlayId, revision.number]));
    return blueprints.map((blueprint) => ({
      id: blueprint.id,
      name: blueprint.name,
      description: blueprint.description,
      ownerId: blueprint.ownerId,
      ownerName: blueprint.owner.name,
      overlays: places
        .filter((place) => place.blueprintId === blueprint.id)
        .map((place) => ({
          overlayId: place.overlayId,
          name: place.overlay.name,
          exposeServerCfg: place.exposeServerCfg,
          revision: numbers.get(place.overlayId) ?? null,
          usable: mayUse(blueprint.owner, place.overlay),
        })),
      arguments: blueprint.arguments,
      config: blueprint.config,
      files: blueprint.files,
      hide: blueprint.hide,
      servers: servers
        .filter((server) => server.blueprintId === blueprint.id && seesServer(me, server))
        .map((server) => ({ id: server.id, name: server.name })),
      createdAt: blueprint.createdAt.toISOString(),
      updatedAt: blueprint.updatedAt.toISOString(),
    }));
  }
}
