import { join } from 'node:path';
import { NotInitialized } from '../errors.js';
import { Generations } from '../instances/generations.js';
import { InstanceFolder } from '../instances/instance-folder.js';
import type { Spec } from '../instances/spec.js';
import { hasCode } from '../overlay/durable.js';
import type { Layer } from './layer.js';

/** What a server's tree is made of. */
export interface ServerLayers {
  generation: number;
  /** What the server wrote; where layers are copied it is not a folder of its own, and this one stays empty. */
  own: Layer;
  /** Topmost first: generated, overlays, game. They never change. */
  shipped: Layer[];
  /** Of `shipped`, see Spec. */
  hide: readonly string[];
}

/** A generation is removed when a later one is adopted, which may be while it is read. */
const ATTEMPTS = 3;

/**
 * The layers of the generation that runs, or ran last; before the first start, of the one that is prepared.
 * @throws NotInitialized
 */
export async function serverLayers(root: string, name: string): Promise<ServerLayers> {
  const folder = new InstanceFolder(root, name);
  const generations = new Generations(folder);
  for (let attempt = 1; ; attempt++) {
    const generation = (await generations.current()) ?? (await generations.next());
    if (generation === null) throw new NotInitialized(name);
    try {
      return layersOf(root, folder, generation, await generations.spec(generation));
    } catch (error) {
      if (!hasCode(error, 'ENOENT') || attempt === ATTEMPTS) throw error;
    }
  }
}

/** What servers with these overlays and this build are given, topmost first. */
export function shippedLayers(root: string, { overlays, build }: Pick<Spec, 'overlays' | 'build'>): Layer[] {
  return [
    ...overlays.map((of): Layer => ({ kind: 'overlay', of, folder: join(root, 'overlays', of) })),
    { kind: 'game', of: build ?? null, folder: join(root, 'installation', build ?? 'current') },
  ];
}

/** The layers of one generation of a server. */
export function layersOf(root: string, folder: InstanceFolder, generation: number, spec: Spec): ServerLayers {
  return {
    generation,
    own: { kind: 'own', of: null, folder: folder.upper() },
    shipped: [
      { kind: 'generated', of: null, folder: join(folder.generation(generation), 'config') },
      ...shippedLayers(root, spec),
    ],
    hide: spec.hide,
  };
}
