import type { EntityManager } from 'typeorm';
import { type Recipe, recipesOf, specHash } from './recipe.js';
import type { Server } from './server.entity.js';

/** The generation that a server's instance uses, with what it pins. */
interface InUse {
  id: number;
  serverId: number;
  specHash: string;
  build: string;
}

/**
 * Sentences of what the next start will change, by server id: nothing for a server that is absent or was never initialized. The same
 * few queries for one server or for a page of them.
 */
export async function pendingChanges(
  manager: EntityManager,
  servers: readonly Server[],
): Promise<Map<number, string[]>> {
  const present = servers.filter((server) => server.actualState !== 'absent');
  const inUse = await generationsInUse(manager, present);
  const changed = present.filter((server) => inUse.has(server.id));
  if (changed.length === 0) return new Map();

  const pinned = await pinnedRevisions(
    manager,
    [...inUse.values()].map(({ id }) => id),
  );
  const recipes = await recipesOf(manager, changed);
  const overlayIds = [...recipes.values()].flatMap(({ overlays }) => overlays.map(({ id }) => id));
  const current = await currentRevisions(manager, overlayIds);
  const builds = await currentBuilds(
    manager,
    changed.map(({ hostId }) => hostId),
  );

  const edited = changed.flatMap((server) => {
    const [used, recipe] = [inUse.get(server.id), recipes.get(server.id)];
    return used && recipe && specHash(recipe) !== used.specHash ? [used.id] : [];
  });
  const before = await usedRecipes(manager, edited);

  const sentences = new Map<number, string[]>();
  for (const server of changed) {
    const used = inUse.get(server.id);
    const recipe = recipes.get(server.id);
    if (!used || !recipe) continue;
    const build = builds.get(server.hostId);
    const old = before.get(used.id);
    sentences.set(server.id, [
      ...(old ? recipeChanges(old, recipe) : []),
      ...newerRevisions(recipe, pinned.get(used.id) ?? new Map(), current),
      ...(build === undefined || build === used.build ? [] : [`game: build ${used.build} → ${build}`]),
    ]);
  }
  return sentences;
}

/** What somebody edited, one sentence each. */
export function recipeChanges(before: Recipe, now: Recipe): string[] {
  const changes: string[] = [];
  const tell = (what: string, from: string | number, to: string | number) => {
    if (from !== to) changes.push(`${what}: ${from} → ${to}`);
  };
  tell('name', before.name, now.name);
  tell('title', before.title, now.title);
  tell('port', before.port, now.port);
  if (before.blueprint.id !== now.blueprint.id) tell('blueprint', before.blueprint.name, now.blueprint.name);
  changes.push(...overlayChanges(before.overlays, now.overlays));
  if (JSON.stringify(before.arguments) !== JSON.stringify(now.arguments)) changes.push('the arguments have changed');
  if (before.config !== now.config) changes.push('server.cfg has changed');
  changes.push(...fileChanges(before.files, now.files));
  if (JSON.stringify(before.hide) !== JSON.stringify(now.hide)) changes.push('the hidden paths have changed');
  changes.push(...secretChanges(before.secrets, now.secrets));
  return changes;
}

function fileChanges(before: Recipe['files'], now: Recipe['files']): string[] {
  const old = new Map(before.map(({ path, content }) => [path, content]));
  const paths = new Set(now.map(({ path }) => path));
  return [
    ...now.filter(({ path }) => !old.has(path)).map(({ path }) => `file ${path}: added`),
    ...before.filter(({ path }) => !paths.has(path)).map(({ path }) => `file ${path}: removed`),
    ...now
      .filter(({ path, content }) => old.has(path) && old.get(path) !== content)
      .map(({ path }) => `file ${path} has changed`),
  ];
}

/** One that is used newly, or no longer, is told by the text that uses it. */
function secretChanges(before: Recipe['secrets'], now: Recipe['secrets']): string[] {
  return now.flatMap(({ id, name, version }) => {
    const old = before.find((secret) => secret.name === name);
    return old && (old.id !== id || old.version !== version) ? [`secret ${name} has changed`] : [];
  });
}

function overlayChanges(before: Recipe['overlays'], now: Recipe['overlays']): string[] {
  const old = new Map(before.map((overlay) => [overlay.id, overlay]));
  const ids = new Set(now.map(({ id }) => id));
  const kept = now.filter(({ id }) => old.has(id));
  const stayed = before.filter(({ id }) => ids.has(id));
  return [
    ...now.filter(({ id }) => !old.has(id)).map(({ name }) => `overlay ${name}: added`),
    ...before.filter(({ id }) => !ids.has(id)).map(({ name }) => `overlay ${name}: removed`),
    ...(kept.some(({ id }, index) => stayed[index]?.id !== id) ? ['the overlays are in another order'] : []),
    ...kept
      .filter(({ id, exposeServerCfg }) => old.get(id)?.exposeServerCfg !== exposeServerCfg)
      .map(
        ({ name, exposeServerCfg }) =>
          `overlay ${name}: its server.cfg is ${exposeServerCfg ? 'executed' : 'not executed'}`,
      ),
  ];
}

/** Overlays that are new in the blueprint are told as added already. */
function newerRevisions(
  recipe: Recipe,
  pinned: ReadonlyMap<number, number>,
  current: ReadonlyMap<number, number>,
): string[] {
  return recipe.overlays.flatMap(({ id, name }) => {
    const [from, to] = [pinned.get(id), current.get(id)];
    return from === undefined || to === undefined || from === to ? [] : [`overlay ${name}: revision ${from} → ${to}`];
  });
}

/** The row that `servers.generation` names, else the newest one that is on disk. */
async function generationsInUse(manager: EntityManager, servers: readonly Server[]): Promise<Map<number, InUse>> {
  if (servers.length === 0) return new Map();
  const rows = await manager.query<InUse[]>(
    `SELECT DISTINCT ON (made.server_id) made.id, made.server_id AS "serverId", made.spec_hash AS "specHash", built.build
     FROM generations made
       JOIN servers ON servers.id = made.server_id
       JOIN runtime_builds built ON built.id = made.runtime_build_id
     WHERE made.server_id = ANY ($1) AND made.number IS NOT NULL
     ORDER BY made.server_id, (made.number = servers.generation) IS TRUE DESC, made.number DESC`,
    [servers.map(({ id }) => id)],
  );
  return new Map(rows.map((row) => [row.serverId, row]));
}

/** Recipes by generation: they may hold large files, so only those are read that something has changed of. */
async function usedRecipes(manager: EntityManager, generationIds: readonly number[]): Promise<Map<number, Recipe>> {
  if (generationIds.length === 0) return new Map();
  const rows = await manager.query<{ id: number; recipe: Recipe }[]>(
    `SELECT id, recipe FROM generations WHERE id = ANY ($1)`,
    [generationIds],
  );
  return new Map(rows.map(({ id, recipe }) => [id, recipe]));
}

/** Revision numbers by overlay, by generation. */
async function pinnedRevisions(
  manager: EntityManager,
  generationIds: readonly number[],
): Promise<Map<number, Map<number, number>>> {
  const rows = await manager.query<{ generationId: number; overlayId: number; number: number }[]>(
    `SELECT pin.generation_id AS "generationId", revision.overlay_id AS "overlayId", revision.number
     FROM generation_revisions pin JOIN overlay_revisions revision ON revision.id = pin.revision_id
     WHERE pin.generation_id = ANY ($1)`,
    [generationIds],
  );
  const byGeneration = new Map<number, Map<number, number>>();
  for (const { generationId, overlayId, number } of rows) {
    const revisions = byGeneration.get(generationId) ?? new Map<number, number>();
    byGeneration.set(generationId, revisions.set(overlayId, number));
  }
  return byGeneration;
}

async function currentRevisions(manager: EntityManager, overlayIds: readonly number[]): Promise<Map<number, number>> {
  const rows = await manager.query<{ overlayId: number; number: number }[]>(
    `SELECT overlay_id AS "overlayId", number FROM overlay_revisions WHERE current AND overlay_id = ANY ($1)`,
    [overlayIds],
  );
  return new Map(rows.map(({ overlayId, number }) => [overlayId, number]));
}

async function currentBuilds(manager: EntityManager, hostIds: readonly number[]): Promise<Map<number, string>> {
  const rows = await manager.query<{ hostId: number; build: string }[]>(
    `SELECT host_id AS "hostId", build FROM runtime_builds WHERE current AND host_id = ANY ($1)`,
    [hostIds],
  );
  return new Map(rows.map(({ hostId, build }) => [hostId, build]));
}
