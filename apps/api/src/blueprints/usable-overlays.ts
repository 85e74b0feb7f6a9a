import { type EntityManager, In } from 'typeorm';
import { Overlay } from '../overlays/overlay.entity.js';
import { type FieldError, Invalid } from '../problems/problems.js';
import { User } from '../users/user.entity.js';
import { BlueprintOverlay } from './blueprint-overlay.entity.js';
import type { BlueprintOverlayBody } from './blueprint.dto.js';

/** Blueprints use the catalog's overlays and their owner's own; those of an admin all. */
export function mayUse(owner: Pick<User, 'id' | 'role'>, overlay: Pick<Overlay, 'ownerId'>): boolean {
  return overlay.ownerId === null || overlay.ownerId === owner.id || owner.role === 'admin';
}

/** Ids of the overlays that a blueprint has from when its owner was an admin, and may not use any more (docs/decisions/0116). */
export async function barredOverlays(manager: EntityManager, blueprintId: number): Promise<Set<number>> {
  const places = await manager
    .getRepository(BlueprintOverlay)
    .find({ where: { blueprintId }, relations: { overlay: true, blueprint: { owner: true } } });
  const barred = places.filter(({ blueprint, overlay }) => !mayUse(blueprint.owner, overlay));
  return new Set(barred.map(({ overlayId }) => overlayId));
}

/**
 * The overlays a blueprint of that owner may use. Locked, so that one that is
 * being deleted at this moment is either gone here or kept by the reference.
 * @throws Invalid naming each that is not there, not the owner's to use, or there twice
 */
export async function usableOverlays(
  manager: EntityManager,
  ownerId: number,
  places: readonly BlueprintOverlayBody[],
): Promise<Map<number, Overlay>> {
  const owner = await manager.getRepository(User).findOneByOrFail({ id: ownerId });
  const found = await manager
    .getRepository(Overlay)
    .createQueryBuilder('overlay')
    .setLock('for_key_share')
    .where({ id: In(places.map((place) => place.overlayId)) })
    .getMany();
  const byId = new Map(found.map((overlay) => [overlay.id, overlay]));
  const errors: FieldError[] = [];
  const taken = new Set<number>();
  for (const [index, { overlayId }] of places.entries()) {
    const path = `overlays.${index}.overlayId`;
    const overlay = byId.get(overlayId);
    if (!overlay || !mayUse(owner, overlay)) errors.push({ path, message: `there is no overlay ${overlayId}` });
    else if (taken.has(overlayId)) errors.push({ path, message: `${overlay.name} is there already` });
    taken.add(overlayId);
  }
  if (errors.length > 0) throw new Invalid(errors);
  return byId;
}
