import type { Spec } from '@left4me/host';
import { quote, renderArgument, renderConfig, type Variables } from '../blueprints/template.js';
import { tvPortOf } from './ports.js';
import type { Recipe } from './recipe.js';

const CFG = 'left4dead2/cfg';
/** Where an overlay's own server.cfg is. */
export const SERVER_CFG = `${CFG}/server.cfg`;
const DEFAULT_MAP = 'c1m1_hotel';

/** What a generation pins beside its recipe. */
export interface Pins {
  build: string;
  /** Revision numbers by overlay id. */
  revisions: ReadonlyMap<number, number>;
  /** The server.cfg of exposed overlays by overlay id; an overlay without one is not there. */
  serverCfgs: ReadonlyMap<number, string>;
}

/** The specification of an instance: the recipe with everything filled in. Holds the RCON password, so it is never shown. */
export function serverSpec(recipe: Recipe, pins: Pins, rconPassword: string): Spec {
  const values = variablesOf(recipe, rconPassword);
  const exposed = exposedFiles(recipe, pins.serverCfgs);
  const words = recipe.arguments.map((word) => renderArgument(word, values));
  return {
    port: recipe.port,
    build: pins.build,
    overlays: recipe.overlays.map(({ id }) => `${id}/${pins.revisions.get(id)}`),
    arguments: words.some((word) => word.toLowerCase() === '+map') ? words : [...words, '+map', DEFAULT_MAP],
    files: [{ path: SERVER_CFG, content: serverCfg(recipe, values, exposed) }, ...exposed],
    hide: [],
  };
}

/** The values of the variables, plain ASCII: a title with other characters is the name here. */
function variablesOf(recipe: Recipe, rconPassword: string): Variables {
  return {
    name: recipe.name,
    title: /^[\x20-\x7e]+$/.test(recipe.title) ? recipe.title : recipe.name,
    port: String(recipe.port),
    tvPort: String(tvPortOf(recipe.port)),
    rconPassword,
  };
}

/** Only the topmost server.cfg is seen, and that is the generated one: the exposed ones get names of their own beside it. */
function exposedFiles(recipe: Recipe, serverCfgs: ReadonlyMap<number, string>): Spec['files'] {
  return recipe.overlays.flatMap(({ id, exposeServerCfg }, index) => {
    const content = exposeServerCfg ? serverCfgs.get(id) : undefined;
    return content === undefined
      ? []
      : [{ path: `${CFG}/server_overlay_${index + 1}.cfg`, content: plainLines(content) }];
  });
}

/** Other bytes than ASCII may crash the server, mostly in comments; the last line must end, or the next command would join it. */
function plainLines(content: string): string {
  const plain = content.replaceAll(/\r\n?/g, '\n').replaceAll(/[^\t\n\x20-\x7e]/gu, '?');
  return plain.endsWith('\n') ? plain : `${plain}\n`;
}

/** What runs later wins: the exposed overlays from the bottom to the top, then the blueprint, last of all the panel. */
function serverCfg(recipe: Recipe, values: Variables, exposed: Spec['files']): string {
  return [
    '// Written by left4me at every start: change the blueprint instead.',
    ...exposed.toReversed().map(({ path }) => `exec ${path.slice(CFG.length + 1)}`),
    ...(recipe.config === '' ? [] : [renderConfig(recipe.config, values).replace(/\n+$/, '')]),
    `hostname ${quote(values.title)}`,
    `rcon_password ${quote(values.rconPassword)}`,
    '',
  ].join('\n');
}
