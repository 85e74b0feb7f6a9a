import type { Server } from '../servers/schema';
import type { Layer } from './schema';

/** Where a file comes from, in a few words. */
export function layerName(layer: Layer): string {
  if (layer.kind === 'own') return 'the server';
  if (layer.kind === 'generated') return 'left4me';
  if (layer.kind === 'game') return 'the game';
  return `overlay ${layer.overlayName ?? layer.overlayId ?? ''}`;
}

/** "hides overlay maps and the game"; empty when it hides nothing. */
export function hidesWords(hides: readonly Layer[]): string {
  const names = hides.map(layerName);
  const last = names.pop();
  if (last === undefined) return '';
  return `hides ${names.length > 0 ? `${names.join(', ')} and ` : ''}${last}`;
}

/** Why nothing of a server's files can be deleted now; null when it can. */
export function whyKept(server: Pick<Server, 'actualState' | 'job' | 'name'>): string | null {
  if (server.job !== null) return `A job of ${server.name} waits or runs: files can be deleted when it has ended.`;
  if (['starting', 'running', 'stopping'].includes(server.actualState))
    return `${server.name} is ${server.actualState}: files can be deleted when it is stopped.`;
  return null;
}

/** Whether a file is likely to be text, by its name. */
export function looksLikeText(name: string): boolean {
  return /\.(log|txt|cfg|ini|json|ya?ml|xml|vdf|kv|vmt|nut|sp|inc|md|lst|res|rc|gi|inf|sh|mjs|js|csv)$/i.test(name);
}
