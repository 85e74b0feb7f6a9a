import type { Spec } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, In, IsNull, Not } from 'typeorm';
import { RuntimeBuild } from '../hosts/runtime-build.entity.js';
import { PublishedFiles } from '../overlays/published-files.js';
import { OverlayRevision } from '../overlays/revision.entity.js';
import { Conflict, NotFound } from '../problems/problems.js';
import { GenerationRevision } from './generation-revision.entity.js';
import { Generation } from './generation.entity.js';
import { RconPasswords } from './rcon-password.js';
import { type Recipe, recipesOf, specHash } from './recipe.js';
import { SERVER_CFG, serverSpec } from './server-spec.js';
import { Server } from './server.entity.js';

/** The host has no game. */
export class NothingInstalled extends Conflict {
  constructor() {
    super('No game is installed on this host: install the game first.');
  }
}

/** Overlays of the blueprint have no revision. */
export class OverlayNotBuilt extends Conflict {
  constructor(readonly overlays: readonly string[]) {
    const which = overlays.length === 1 ? 'overlay' : 'the overlays';
    super(`Nothing of ${which} ${overlays.join(', ')} is published yet: build ${overlays.join(', ')} first.`);
  }
}

/** The rows of what initialize prepares: they pin runtime builds and revisions for as long as a generation is on disk. */
@Injectable()
export class Generations {
  constructor(
    private readonly database: DataSource,
    private readonly published: PublishedFiles,
    private readonly passwords: RconPasswords,
  ) {}

  /**
   * Decides what the server's next generation is made of and pins it, in one transaction. The row has no number until `made`.
   * Only one job of a server runs at a time, so rows without a number are what an earlier, failed one left, and go.
   * @throws NothingInstalled, OverlayNotBuilt, NotFound (the server is gone)
   */
  async prepare(
    serverId: number,
    manager: EntityManager = this.database.manager,
  ): Promise<{ generation: Generation; spec: Spec }> {
    const { generation, server, build, revisions } = await manager.transaction((inner) => this.pin(serverId, inner));
    // The disk is read after the commit: the pins keep what is read where it is.
    const serverCfgs = await this.exposed(generation.recipe, revisions);
    const rconPassword = this.passwords.open(server.rconPassword);
    return { generation, spec: serverSpec(generation.recipe, { build, revisions, serverCfgs }, rconPassword) };
  }

  /** The host has written the generation: its folder is generations/<number>. */
  async made(generationId: number, number: number): Promise<void> {
    await this.database.transaction(async (manager) => {
      const generations = manager.getRepository(Generation);
      const { serverId } = await generations.findOneByOrFail({ id: generationId });
      // A folder of the same number from before a delete whose rows are still there.
      await generations.delete({ serverId, number, id: Not(generationId) });
      await generations.update(generationId, { number });
    });
  }

  /**
   * Forgets, and so unpins, all generations that are not on disk any more. To be called from the server's own job, after `made`.
   * @param numbers the ones that are on disk: current and next. None: the instance is gone
   */
  async keepOnly(serverId: number, numbers: readonly number[]): Promise<void> {
    const generations = this.database.getRepository(Generation);
    await generations.delete({ serverId, number: numbers.length > 0 ? Not(In([...numbers])) : Not(IsNull()) });
    await generations.delete({ serverId, number: IsNull() });
  }

  private async pin(serverId: number, manager: EntityManager) {
    const server = await manager.getRepository(Server).findOneBy({ id: serverId });
    if (!server) throw new NotFound(`server ${serverId}`);
    const recipe = (await recipesOf(manager, [server])).get(serverId);
    if (!recipe) throw new NotFound(`blueprint ${server.blueprintId}`);
    const build = await manager.getRepository(RuntimeBuild).findOneBy({ hostId: server.hostId, current: true });
    if (!build) throw new NothingInstalled();
    const current = await manager
      .getRepository(OverlayRevision)
      .findBy({ overlayId: In(recipe.overlays.map(({ id }) => id)), current: true });
    const revisions = new Map(current.map((revision) => [revision.overlayId, revision.number]));
    const unbuilt = recipe.overlays.filter(({ id }) => !revisions.has(id));
    if (unbuilt.length > 0) throw new OverlayNotBuilt(unbuilt.map(({ name }) => name));

    const generations = manager.getRepository(Generation);
    await generations.delete({ serverId, number: IsNull() });
    const generation = await generations.save(
      generations.create({ serverId, number: null, runtimeBuildId: build.id, specHash: specHash(recipe), recipe }),
    );
    await manager
      .getRepository(GenerationRevision)
      .insert(current.map(({ id }) => ({ generationId: generation.id, revisionId: id })));
    return { generation, server, build: build.build, revisions };
  }

  private async exposed(recipe: Recipe, revisions: ReadonlyMap<number, number>): Promise<Map<number, string>> {
    const contents = new Map<number, string>();
    for (const { id, exposeServerCfg } of recipe.overlays) {
      const revision = revisions.get(id);
      if (!exposeServerCfg || revision === undefined) continue;
      const content = await this.published.text(id, revision, SERVER_CFG);
      if (content !== null) contents.set(id, content);
    }
    return contents;
  }
}
