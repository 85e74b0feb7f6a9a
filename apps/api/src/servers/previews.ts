import { serverCommand } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { secretsIn } from '../blueprints/template.js';
import { PublishedFiles } from '../overlays/published-files.js';
import { Conflict, NotFound } from '../problems/problems.js';
import { MASK } from '../secrets/masked-line.js';
import { exposedServerCfgs } from './exposed-server-cfgs.js';
import { HiddenPaths } from './hidden-paths.js';
import { makingsOf, type Makings, numbersOf } from './makings.js';
import type { PreviewFileView, PreviewView } from './preview.dto.js';
import { type Recipe, recipesOf } from './recipe.js';
import { exposedPath, generated, isAscii, isCfg, SERVER_CFG } from './server-spec.js';
import type { Server } from './server.entity.js';

/**
 * What an initialize would make, by the code that makes it, with masks in place of secrets: none is even opened. Nothing is written
 * or pinned.
 */
@Injectable()
export class Previews {
  constructor(
    private readonly database: DataSource,
    private readonly published: PublishedFiles,
    private readonly hidden: HiddenPaths,
  ) {}

  async ofServer(server: Server): Promise<PreviewView> {
    const recipe = (await recipesOf(this.database.manager, [server])).get(server.id);
    if (!recipe) throw new NotFound(`blueprint ${server.blueprintId}`);
    return this.ofRecipe(recipe, server.hostId);
  }

  /** @param hostId null: no host in particular, as long as there is none */
  async ofRecipe(recipe: Recipe, hostId: number | null): Promise<PreviewView> {
    const makings = await makingsOf(this.database.manager, recipe, hostId);
    const revisions = numbersOf(makings.revisions);
    const shown = { ...recipe, overlays: recipe.overlays.filter((overlay) => !makings.barred.includes(overlay)) };
    const { serverCfgs, unread } = await this.exposed(shown, revisions);
    const {
      arguments: words,
      files,
      hide,
      port,
    } = generated(recipe, serverCfgs, {
      rconPassword: MASK,
      secrets: new Map(secretsOf(recipe).map((name) => [name, MASK])),
    });
    return {
      serverName: recipe.name,
      build: makings.build?.build ?? null,
      overlays: recipe.overlays.map(({ id, name }) => ({ overlayId: id, name, revision: revisions.get(id) ?? null })),
      command: serverCommand(port, words),
      files: files.map((file) => ({ ...file, ...sourceOf(recipe, file.path) })),
      hide,
      warnings: [
        ...unmade(makings),
        ...unread,
        ...exposedWarnings(shown, revisions, serverCfgs),
        ...overruled(recipe),
        ...(await this.hidden.warnings(recipe, makings)),
        ...textWarnings(recipe),
      ],
    };
  }

  private async exposed(recipe: Recipe, revisions: ReadonlyMap<number, number>) {
    try {
      return { serverCfgs: await exposedServerCfgs(this.published, recipe, revisions), unread: [] };
    } catch (error) {
      // Elsewhere, or too large: initialize says the same.
      if (error instanceof Conflict) return { serverCfgs: new Map<number, string>(), unread: [error.message] };
      throw error;
    }
  }
}

function secretsOf({ config, files }: Recipe): string[] {
  return [config, ...files.map(({ content }) => content)].flatMap(secretsIn);
}

function sourceOf({ overlays }: Recipe, path: string): Pick<PreviewFileView, 'source' | 'overlayName'> {
  if (path === SERVER_CFG) return { source: 'panel', overlayName: null };
  const overlay = overlays.find((_, index) => exposedPath(index) === path);
  return overlay ? { source: 'overlay', overlayName: overlay.name } : { source: 'blueprint', overlayName: null };
}

function unmade({ build, unbuilt, barred }: Makings): string[] {
  return [
    ...(build ? [] : ['No game is installed on this host: install the game first.']),
    ...barred.map(
      ({ name }) =>
        `The overlay ${name} is somebody else's, and the blueprint's owner may not use it any more: take it out.`,
    ),
    ...unbuilt.map(
      ({ name }) => `Nothing of the overlay ${name} is published yet: its owner or an admin has to build it first.`,
    ),
  ];
}

function exposedWarnings(
  { overlays }: Recipe,
  revisions: ReadonlyMap<number, number>,
  serverCfgs: ReadonlyMap<number, string>,
): string[] {
  return overlays.flatMap(({ id, name, exposeServerCfg }) => {
    if (!exposeServerCfg || !revisions.has(id)) return [];
    const content = serverCfgs.get(id);
    if (content === undefined) return [`The overlay ${name} has no server.cfg that could be executed.`];
    if (isAscii(content.replaceAll('\r', '\n'))) return [];
    return [`server.cfg of the overlay ${name} has other characters than plain ASCII: each becomes a question mark.`];
  });
}

/** Lines that the panel's own, which come after them, make void; the title itself may be written there for all that. */
function overruled({ config }: Recipe): string[] {
  return config.split('\n').flatMap((line, index) => {
    const [, name, value = ''] = /^\s*(hostname|rcon_password)\s+(.*?)\s*$/i.exec(line) ?? [];
    if (name === undefined || /^"?\{\{\s*(title|rconPassword)\s*\}\}"?$/.test(value)) return [];
    const own =
      name.toLowerCase() === 'hostname' ? 'the title of each server' : 'a password of its own for each server';
    return [`server.cfg, line ${index + 1}: ${name} has no effect, since the panel sets ${own} after it.`];
  });
}

function textWarnings({ title, name, files }: Recipe): string[] {
  const warnings = isAscii(title)
    ? []
    : [`The title is not plain ASCII, which .cfg files have to be: the name (${name}) stands there instead.`];
  for (const { path, content } of files) {
    if (!isCfg(path) || isAscii(content)) continue;
    const line = content.split('\n').findIndex((text) => !isAscii(text)) + 1;
    warnings.push(`${path}, line ${line}: other characters than plain ASCII in a .cfg file may crash the server.`);
  }
  return warnings;
}
