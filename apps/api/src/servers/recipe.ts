import { createHash } from 'node:crypto';
import { type EntityManager, In } from 'typeorm';
import { BlueprintOverlay } from '../blueprints/blueprint-overlay.entity.js';
import { Blueprint, type BlueprintFile } from '../blueprints/blueprint.entity.js';
import type { Server } from './server.entity.js';

/** A secret that a recipe uses. The version tells one value from another and nothing else of it. */
export interface UsedSecret {
  id: number;
  name: string;
  version: number;
}

/**
 * Everything that a server and its blueprint decide about an instance, as they were written: templates are not filled in, so it
 * holds no secret. What it does not decide (runtime build, revisions) is pinned by rows beside it.
 */
export interface Recipe {
  name: string;
  title: string;
  port: number;
  blueprint: { id: number; name: string };
  /** The first one wins. */
  overlays: { id: number; name: string; exposeServerCfg: boolean }[];
  arguments: string[];
  config: string;
  files: BlueprintFile[];
  hide: string[];
  /** By name. */
  secrets: UsedSecret[];
}

/** SHA-256, hexadecimal, over what reaches the instance: names of blueprints and overlays do not. */
export function specHash(recipe: Recipe): string {
  const { name, title, port, config, files, hide } = recipe;
  const overlays = recipe.overlays.map((overlay) => [overlay.id, overlay.exposeServerCfg]);
  const texts = files.map(({ path, content }) => [path, content]);
  const secrets = recipe.secrets.map(({ id, version }) => [id, version]);
  const decided = [name, title, port, overlays, recipe.arguments, config, texts, hide, secrets];
  return createHash('sha256').update(JSON.stringify(decided)).digest('hex');
}

/** The recipes of servers as of now, by server id, with three queries. */
export async function recipesOf(manager: EntityManager, servers: readonly Server[]): Promise<Map<number, Recipe>> {
  const blueprintIds = [...new Set(servers.map((server) => server.blueprintId))];
  const blueprints = await manager.getRepository(Blueprint).findBy({ id: In(blueprintIds) });
  const places = await manager.getRepository(BlueprintOverlay).find({
    where: { blueprintId: In(blueprintIds) },
    relations: { overlay: true },
    order: { position: 'ASC' },
  });
  const secrets = await manager.query<(UsedSecret & { blueprintId: number })[]>(
    `SELECT used.blueprint_id AS "blueprintId", secrets.id, secrets.name, secrets.version
     FROM blueprint_secrets used JOIN secrets ON secrets.id = used.secret_id
     WHERE used.blueprint_id = ANY ($1) ORDER BY secrets.name`,
    [blueprintIds],
  );
  const recipes = new Map<number, Recipe>();
  for (const server of servers) {
    const blueprint = blueprints.find(({ id }) => id === server.blueprintId);
    if (!blueprint) continue;
    recipes.set(server.id, {
      name: server.name,
      title: server.title,
      port: server.port,
      blueprint: { id: blueprint.id, name: blueprint.name },
      overlays: places
        .filter((place) => place.blueprintId === blueprint.id)
        .map(({ overlayId, overlay, exposeServerCfg }) => ({ id: overlayId, name: overlay.name, exposeServerCfg })),
      arguments: blueprint.arguments,
      config: blueprint.config,
      files: blueprint.files.map(({ path, content }) => ({ path, content })),
      hide: blueprint.hide,
      secrets: secrets
        .filter((secret) => secret.blueprintId === blueprint.id)
        .map(({ id, name, version }) => ({ id, name, version })),
    });
  }
  return recipes;
}
