import type { Spec } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, In, IsNull, Not } from 'typeorm';
import { PublishedFiles } from '../overlays/published-files.js';
import { Conflict, NotFound } from '../problems/problems.js';
import { GivenValues } from '../secrets/given-values.js';
import { SecretValues } from '../secrets/secret-values.js';
import { Secret } from '../secrets/secret.entity.js';
import { ServerMasks } from '../secrets/server-masks.js';
import { exposedServerCfgs } from './exposed-server-cfgs.js';
import { GenerationRevision } from './generation-revision.entity.js';
import { Generation } from './generation.entity.js';
import { makingsOf, numbersOf } from './makings.js';
import { RconPasswords } from './rcon-password.js';
import { recipesOf, specHash } from './recipe.js';
import { serverSpec } from './server-spec.js';
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
    const who =
      overlays.length === 1 ? 'its owner or an admin has to build it' : 'owners or an admin have to build them';
    super(`Nothing of ${which} ${overlays.join(', ')} is published yet: ${who} first.`);
  }
}

/** Overlays of the blueprint are somebody else's, and its owner is no admin any more. */
export class OverlayBarred extends Conflict {
  constructor(blueprint: string, overlays: readonly string[]) {
    const one = overlays.length === 1;
    super(
      `The blueprint ${blueprint} has ${one ? 'the overlay' : 'the overlays'} ${overlays.join(', ')}, which its owner may not use any more: take ${one ? 'it' : 'them'} out.`,
    );
  }
}

/** The rows of what initialize prepares: they pin runtime builds and revisions for as long as a generation is on disk. */
@Injectable()
export class Generations {
  constructor(
    private readonly database: DataSource,
    private readonly published: PublishedFiles,
    private readonly passwords: RconPasswords,
    private readonly secrets: SecretValues,
    private readonly given: GivenValues,
    private readonly masks: ServerMasks,
  ) {}

  /**
   * Decides what the server's next generation is made of and pins it, in one transaction. The row has no number until `made`.
   * Only one job of a server runs at a time, so rows without a number are what an earlier, failed one left, and go.
   * @throws NothingInstalled, OverlayBarred, OverlayNotBuilt, NotFound (the server is gone)
   */
  async prepare(
    serverId: number,
    manager: EntityManager = this.database.manager,
  ): Promise<{ generation: Generation; spec: Spec }> {
    const { generation, build, revisions, confidential } = await manager.transaction((inner) =>
      this.pin(serverId, inner),
    );
    // From now on its logs may show what it is given here.
    this.masks.forget(serverId);
    // The disk is read after the commit: the pins keep what is read where it is.
    const serverCfgs = await exposedServerCfgs(this.published, generation.recipe, revisions);
    return { generation, spec: serverSpec(generation.recipe, { build, revisions, serverCfgs }, confidential) };
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
    const { build, revisions, unbuilt, barred } = await makingsOf(manager, recipe, server.hostId);
    if (barred.length > 0)
      throw new OverlayBarred(
        recipe.blueprint.name,
        barred.map(({ name }) => name),
      );
    if (!build) throw new NothingInstalled();
    if (unbuilt.length > 0) throw new OverlayNotBuilt(unbuilt.map(({ name }) => name));

    const generations = manager.getRepository(Generation);
    await generations.delete({ serverId, number: IsNull() });
    const generation = await generations.save(
      generations.create({ serverId, number: null, runtimeBuildId: build.id, specHash: specHash(recipe), recipe }),
    );
    await manager
      .getRepository(GenerationRevision)
      .insert(revisions.map(({ id }) => ({ generationId: generation.id, revisionId: id })));
    const sealed = await manager.getRepository(Secret).find({
      select: { id: true, name: true, sealed: true },
      where: { id: In(recipe.secrets.map(({ id }) => id)) },
    });
    if (sealed.length < recipe.secrets.length)
      throw new Conflict('A secret of the blueprint was deleted at this moment: try again.');
    const rconPassword = this.passwords.open(server.rconPassword);
    const secrets = new Map(sealed.map(({ name, sealed: value }) => [name, this.secrets.open(value)]));
    await this.given.note(serverId, [rconPassword, ...secrets.values()], manager);
    return {
      generation,
      build: build.build,
      revisions: numbersOf(revisions),
      confidential: { rconPassword, secrets },
    };
  }
}
