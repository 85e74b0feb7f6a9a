import type { Spec } from '@left4me/host';
import { quote, renderArgument, renderConfig, renderText, type Variables } from '../blueprints/template.js';
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

/** What a recipe's texts are filled in with that is nobody's to see. */
export interface Confidential {
  rconPassword: string;
  /** By name: the secrets of the blueprint's owner that it uses. */
  secrets: ReadonlyMap<string, string>;
}

/** What is generated for an instance, whatever the build and the revisions it gets. */
export type Generated = Pick<Spec, 'port' | 'arguments' | 'files' | 'hide'>;

/** The specification of an instance: the recipe with everything filled in. Holds secrets, so it is never shown. */
export function serverSpec(recipe: Recipe, pins: Pins, confidential: Confidential): Spec {
  return {
    ...generated(recipe, pins.serverCfgs, confidential),
    build: pins.build,
    overlays: recipe.overlays.map(({ id }) => `${id}/${pins.revisions.get(id)}`),
  };
}

/**
 * The generated part of a specification: server.cfg first, then the exposed ones, then the blueprint's files. A preview gives masks for
 * what is confidential, and so shows the same without knowing it.
 */
export function generated(recipe: Recipe, serverCfgs: Pins['serverCfgs'], confidential: Confidential): Generated {
  const values = variablesOf(recipe, confidential);
  const exposed = exposedFiles(recipe, serverCfgs);
  const words = recipe.arguments.map((word) => renderArgument(word, values));
  return {
    port: recipe.port,
    arguments: words.some((word) => word.toLowerCase() === '+map') ? words : [...words, '+map', DEFAULT_MAP],
    files: [
      { path: SERVER_CFG, content: serverCfg(recipe, values, exposed) },
      ...exposed,
      ...recipe.files.map(({ path, content }) => ({
        path,
        content: isCfg(path) ? renderConfig(content, values) : renderText(content, { ...values, title: recipe.title }),
      })),
    ],
    hide: recipe.hide,
  };
}

/** Whether the game's console reads the file: its quoting and its ASCII count there. */
export function isCfg(path: string): boolean {
  return path.toLowerCase().endsWith('.cfg');
}

/** The values of the variables, plain ASCII: a title with other characters is the name here. */
function variablesOf(recipe: Recipe, { rconPassword, secrets }: Confidential): Variables {
  return {
    name: recipe.name,
    title: isAscii(recipe.title) ? recipe.title : recipe.name,
    port: String(recipe.port),
    tvPort: String(tvPortOf(recipe.port)),
    rconPassword,
    secrets,
  };
}

/** What server.cfg can show of a text: no other bytes. */
export function isAscii(text: string): boolean {
  return /^[\t\n\x20-\x7e]*$/.test(text);
}

/** Where the server.cfg of the overlay at that place (from 0) is put. */
export function exposedPath(index: number): string {
  return `${CFG}/server_overlay_${index + 1}.cfg`;
}

/** Only the topmost server.cfg is seen, and that is the generated one: the exposed ones get names of their own beside it. */
function exposedFiles(recipe: Recipe, serverCfgs: ReadonlyMap<number, string>): Spec['files'] {
  return recipe.overlays.flatMap(({ id, exposeServerCfg }, index) => {
    const content = exposeServerCfg ? serverCfgs.get(id) : undefined;
    return content === undefined ? [] : [{ path: exposedPath(index), content: plainLines(content) }];
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
