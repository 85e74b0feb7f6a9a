import type { SteamWebApi } from './steam-web-api.js';
import type { Details, Members } from './wire.js';
import type { WorkshopFile } from './workshop.js';
import { WorkshopFailed } from './workshop-errors.js';

export interface LookUpLimits {
  /** How deep collections may lie in collections. */
  depth: number;
  /** Items and collections together. */
  files: number;
  /** What all collections list together, the same ones again counted. */
  members: number;
}

const LIMITS: LookUpLimits = { depth: 10, files: 2000, members: 20_000 };

/** No VPK is larger: its directory counts bytes in 32 bits. */
const MAX_ITEM_BYTES = 4 * 1024 ** 3;

/**
 * What Steam says of these items and collections and of all that is in them. Each is asked for once, so collections may hold each
 * other. In the order in which they were met. Throws `SteamAway`, `WorkshopFailed` over a limit, `Interrupted`.
 */
export async function lookUp(
  ids: readonly string[],
  steam: Pick<SteamWebApi, 'details' | 'members'>,
  signal: AbortSignal,
  limits = LIMITS,
): Promise<WorkshopFile[]> {
  const found = new Map<string, WorkshopFile>();
  let level = [...new Set(ids)];
  let members = 0;
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limits.depth)
      throw new WorkshopFailed(`The collections lie more than ${limits.depth} deep in each other.`);
    if (found.size + level.length > limits.files) {
      throw new WorkshopFailed(`These are more than ${limits.files} items and collections together.`);
    }
    const details = await steam.details(level, signal);
    const asked = [...details.values()].filter(mayBeCollection).map(({ id }) => id);
    const inside = asked.length > 0 ? await steam.members(asked, signal) : new Map<string, Members>();
    for (const [id, about] of details) found.set(id, described(about, inside.get(id)));
    const next = level.flatMap((id) => found.get(id)?.members ?? []);
    members += next.length;
    if (members > limits.members) throw new WorkshopFailed('The collections list too many items.');
    level = [...new Set(next)].filter((id) => !found.has(id));
  }
  return [...found.values()];
}

/** Steam does not always say which is which; an item without a file may be a collection. */
function mayBeCollection({ problem, collection, fileUrl }: Details): boolean {
  return problem === null && (collection || fileUrl === null);
}

function described(about: Details, inside: Members | undefined): WorkshopFile {
  const { id, title, previewUrl, timeUpdated } = about;
  const updatedAt = timeUpdated === null ? null : new Date(timeUpdated * 1000).toISOString();
  const common = { id, title, previewUrl, updatedAt };
  const noFile = { bytes: null, version: null, fileUrl: null };
  if (about.problem !== null) {
    const kind = about.collection ? 'collection' : null;
    return { ...common, ...noFile, kind, members: [], problem: about.problem, temporary: about.temporary };
  }
  if (inside?.members) {
    return { ...common, ...noFile, kind: 'collection', members: inside.members, problem: null, temporary: false };
  }
  if (about.collection || inside?.temporary) {
    const problem = `what is in it cannot be read: ${inside?.problem ?? 'Steam says nothing about it'}`;
    const kind = about.collection ? 'collection' : null;
    return { ...common, ...noFile, kind, members: [], problem, temporary: inside?.temporary ?? true };
  }
  const version = `${timeUpdated ?? 0}-${about.content || 0}`;
  const file = { bytes: about.bytes, version, fileUrl: about.fileUrl };
  return { ...common, ...file, kind: 'item', members: [], problem: fileProblem(about), temporary: false };
}

function fileProblem({ bytes, fileUrl }: Details): string | null {
  if (fileUrl === null) return 'Steam offers no download of it';
  if (bytes === null || bytes === 0) return 'Steam does not say how large its file is';
  return bytes > MAX_ITEM_BYTES ? `its file is larger than ${MAX_ITEM_BYTES} bytes` : null;
}
