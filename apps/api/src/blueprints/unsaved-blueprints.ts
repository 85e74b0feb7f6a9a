import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Principal } from '../auth/access.js';
import { RunningSettings } from '../config/settings.js';
import { HostRow } from '../hosts/host.entity.js';
import { Invalid } from '../problems/problems.js';
import type { Recipe } from '../servers/recipe.js';
import { seesServer } from '../servers/server-access.js';
import { Server } from '../servers/server.entity.js';
import { BlueprintOverlay } from './blueprint-overlay.entity.js';
import { checkedContent, emptyContent, secretNames } from './blueprint-content.js';
import type { BlueprintOverlayBody, PreviewBlueprintBody } from './blueprint.dto.js';
import type { Blueprint } from './blueprint.entity.js';
import { Blueprints } from './blueprints.service.js';
import { usableOverlays } from './usable-overlays.js';

const sample = { name: 'example', title: 'Example server', port: 27_015 };

/** What a blueprint would make of a server if it were saved: checked as saving checks it, and nothing written. */
@Injectable()
export class UnsavedBlueprints {
  constructor(
    private readonly database: DataSource,
    private readonly settings: RunningSettings,
    private readonly blueprints: Blueprints,
  ) {}

  /** @throws Invalid, NotFound as saving would; Invalid for a server that the caller cannot see */
  async recipe(me: Principal, body: PreviewBlueprintBody): Promise<{ recipe: Recipe; hostId: number | null }> {
    const saved = body.blueprintId === undefined ? null : await this.blueprints.get(me, body.blueprintId);
    const server = body.serverId === undefined ? null : await this.server(me, body.serverId);
    const ownerId = saved?.ownerId ?? me.user.id;
    const before = saved ?? emptyContent;
    const changed = checkedContent(body, before, await secretNames(this.database.manager, ownerId));
    const { name, title, port } = server ?? sample;
    const recipe = {
      name,
      title,
      port,
      blueprint: { id: saved?.id ?? 0, name: saved?.name ?? '' },
      overlays: await this.overlays(ownerId, body.overlays ?? (await this.placesOf(saved))),
      arguments: changed.arguments ?? before.arguments,
      config: changed.config ?? before.config,
      files: changed.files ?? before.files,
      hide: changed.hide ?? before.hide,
      secrets: [],
    };
    return { recipe, hostId: server?.hostId ?? (await this.hostHere()) };
  }

  private async server(me: Principal, id: number): Promise<Server> {
    const server = await this.database.getRepository(Server).findOneBy({ id });
    if (!server || !seesServer(me, server))
      throw new Invalid([{ path: 'serverId', message: `there is no server ${id}` }]);
    return server;
  }

  private placesOf(saved: Blueprint | null): Promise<BlueprintOverlayBody[]> {
    if (!saved) return Promise.resolve([]);
    return this.database
      .getRepository(BlueprintOverlay)
      .find({ where: { blueprintId: saved.id }, order: { position: 'ASC' } });
  }

  private async overlays(ownerId: number, places: readonly BlueprintOverlayBody[]): Promise<Recipe['overlays']> {
    const usable = await this.database.transaction((manager) => usableOverlays(manager, ownerId, places));
    return places.map(({ overlayId, exposeServerCfg }) => ({
      id: overlayId,
      name: usable.get(overlayId)?.name ?? '',
      exposeServerCfg: exposeServerCfg ?? false,
    }));
  }

  /** The host that a new server would be on. */
  private async hostHere(): Promise<number | null> {
    const hosts = this.database.getRepository(HostRow);
    const host = (await hosts.findOneBy({ name: this.settings.host })) ?? (await hosts.findOneBy({ name: 'local' }));
    return host?.id ?? null;
  }
}
