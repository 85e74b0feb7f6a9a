import { isBinary } from '../overlays/text-file';
import type { Server } from '../servers/schema';
import { bytes, plural } from '../design/amounts';
import type { Layer, OwnSize, ServerEntry } from './schema';

/** Where a file comes from, in a few words. */
export function layerName(layer: Layer): string {
  if (layer.kind === 'own') return 'the server';
  if (layer.kind === 'generated') return 'the blueprint';
  if (layer.kind === 'game') return 'the game';
  return `overlay ${layer.overlayName ?? layer.overlayId ?? ''}`;
}

/** "overlay maps and the game"; empty for none. */
export function layerNames(layers: readonly Layer[]): string {
  const names = layers.map(layerName);
  const last = names.pop();
  if (last === undefined) return '';
  return `${names.length > 0 ? `${names.join(', ')} and ` : ''}${last}`;
}

/** What deleting an entry does: of a merged folder only the server's part goes. */
export function deletionWords({ name, type, merged }: Pick<ServerEntry, 'name' | 'type' | 'merged'>): string {
  return type === 'directory' && merged ? `Delete what the server wrote below ${name}` : `Delete ${name}`;
}

/** "14 files, 3.2 MB", "more than 200,000 files, 3.2 GB". */
export function sizeWords({ files, bytes: size, complete }: OwnSize): string {
  return `${complete ? '' : 'more than '}${plural(files, 'file')}, ${bytes(size)}`;
}

/** Whether what the server can get from nowhere else is among it, or might be. */
export function isPrecious({ complete, kept }: OwnSize): boolean {
  return !complete || kept.files > 0;
}

/** Why nothing of a server's files can be deleted now; null when it can. */
export function whyKept(server: Pick<Server, 'actualState' | 'job' | 'name'>): string | null {
  if (server.job !== null) return `A job of ${server.name} waits or runs: files can be deleted when it has ended.`;
  if (['starting', 'running', 'stopping'].includes(server.actualState))
    return `${server.name} is ${server.actualState}: files can be deleted when it is stopped.`;
  return null;
}

/** Whether a file may be text, by its name: most of what has no known ending is. */
export function looksLikeText(name: string): boolean {
  return !isBinary(name);
}
