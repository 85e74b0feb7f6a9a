import type { PublishedFiles } from '../overlays/published-files.js';
import type { Recipe } from './recipe.js';
import { SERVER_CFG } from './server-spec.js';

/**
 * The server.cfg of the overlays that a recipe exposes, by overlay id; one without it is not there.
 * @param revisions numbers by overlay id; what has none is left out
 */
export async function exposedServerCfgs(
  published: PublishedFiles,
  recipe: Recipe,
  revisions: ReadonlyMap<number, number>,
): Promise<Map<number, string>> {
  const contents = new Map<number, string>();
  for (const { id, exposeServerCfg } of recipe.overlays) {
    const revision = revisions.get(id);
    if (!exposeServerCfg || revision === undefined) continue;
    const content = await published.text(id, revision, SERVER_CFG);
    if (content !== null) contents.set(id, content);
  }
  return contents;
}
