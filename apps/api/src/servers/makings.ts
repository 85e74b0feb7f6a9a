import { type EntityManager, In } from 'typeorm';
import { barredOverlays } from '../blueprints/usable-overlays.js';
import { RuntimeBuild } from '../hosts/runtime-build.entity.js';
import { OverlayRevision } from '../overlays/revision.entity.js';
import type { Recipe } from './recipe.js';

/** What there is at this moment to make a recipe's generation of. */
export interface Makings {
  /** The host's current one; null: nothing is installed. */
  build: RuntimeBuild | null;
  /** The current ones of the recipe's overlays. */
  revisions: OverlayRevision[];
  /** The overlays that have none. */
  unbuilt: Recipe['overlays'];
  /** The overlays that the blueprint's owner may not use any more. */
  barred: Recipe['overlays'];
}

/** @param hostId null: no host */
export async function makingsOf(manager: EntityManager, recipe: Recipe, hostId: number | null): Promise<Makings> {
  const build = hostId === null ? null : await manager.getRepository(RuntimeBuild).findOneBy({ hostId, current: true });
  const revisions = await manager
    .getRepository(OverlayRevision)
    .findBy({ overlayId: In(recipe.overlays.map(({ id }) => id)), current: true });
  const built = new Set(revisions.map(({ overlayId }) => overlayId));
  const barred = await barredOverlays(manager, recipe.blueprint.id);
  return {
    build,
    revisions,
    unbuilt: recipe.overlays.filter(({ id }) => !built.has(id)),
    barred: recipe.overlays.filter(({ id }) => barred.has(id)),
  };
}

/** Revision numbers by overlay id. */
export function numbersOf(revisions: readonly OverlayRevision[]): Map<number, number> {
  return new Map(revisions.map(({ overlayId, number }) => [overlayId, number]));
}
