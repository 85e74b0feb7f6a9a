import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, In, LessThan } from 'typeorm';
import { SECRET_NAME } from '../blueprints/template.js';
import { type Page, page, type PageQuery } from '../paging/page.js';
import { Conflict, Invalid, NotFound } from '../problems/problems.js';
import { Announcements } from '../redis/announcements.js';
import { announceServersOf } from '../servers/announce-servers.js';
import { BlueprintSecret } from './blueprint-secret.entity.js';
import type { SecretView } from './secret.dto.js';
import { Secret } from './secret.entity.js';
import { SecretValues } from './secret-values.js';

/** Of each user. */
const MAX_SECRETS = 200;

/** A user's own secrets. Values go in and never come out again, not even to their owner. */
@Injectable()
export class Secrets {
  constructor(
    private readonly database: DataSource,
    private readonly values: SecretValues,
    private readonly announcements: Announcements,
  ) {}

  async list(ownerId: number, { limit, cursor }: PageQuery): Promise<Page<SecretView>> {
    const rows = await this.database.getRepository(Secret).find({
      where: { ownerId, ...(cursor === undefined ? {} : { id: LessThan(cursor) }) },
      order: { id: 'DESC' },
      take: limit + 1,
    });
    const { items, nextCursor } = page(rows, limit);
    return { items: await this.render(items), nextCursor };
  }

  /**
   * Sets a secret's value; servers get it at their next start.
   * @throws Invalid for a name that no template can say; Conflict when there are too many
   */
  async put(ownerId: number, name: string, value: string): Promise<SecretView> {
    if (!SECRET_NAME.test(name)) {
      const message = 'must be 1 to 64 letters, digits and underscores, not beginning with a digit';
      throw new Invalid([{ path: 'name', message }]);
    }
    const secret = await this.database.transaction(async (manager) => {
      await this.make(manager, ownerId, name, value);
      const secrets = manager.getRepository(Secret);
      const row = await secrets.findOneOrFail({ where: { ownerId, name }, lock: { mode: 'pessimistic_write' } });
      if (this.values.open(row.sealed) === value) return row;
      await secrets.update(row.id, {
        sealed: this.values.seal(value),
        version: row.version + 1,
        updatedAt: new Date(),
      });
      return secrets.findOneByOrFail({ id: row.id });
    });
    await announceServersOf({ secretId: secret.id }, this.database, this.announcements);
    const [view] = await this.render([secret]);
    if (!view) throw new Error('a secret has no view');
    return view;
  }

  /** What servers were given of it stays masked (`GivenValues`). @throws Conflict while a blueprint uses it */
  async remove(ownerId: number, name: string): Promise<void> {
    await this.database.transaction(async (manager) => {
      const lock = { mode: 'pessimistic_write' } as const;
      // PostgreSQL refuses to look for a text with NUL.
      const row = SECRET_NAME.test(name)
        ? await manager.getRepository(Secret).findOne({ where: { ownerId, name }, lock })
        : null;
      if (!row) throw new NotFound(`secret ${name.slice(0, 64)}`);
      await refuseInUse(manager, row);
      await manager.getRepository(Secret).delete(row.id);
    });
  }

  /** The row, where there was none. */
  private async make(manager: EntityManager, ownerId: number, name: string, value: string): Promise<void> {
    const secrets = manager.getRepository(Secret);
    if (await secrets.existsBy({ ownerId, name })) return;
    if ((await secrets.countBy({ ownerId })) >= MAX_SECRETS)
      throw new Conflict(`You have ${MAX_SECRETS} secrets already: delete one that nothing uses.`);
    await secrets
      .createQueryBuilder()
      .insert()
      .values({ ownerId, name, sealed: this.values.seal(value) })
      .orIgnore()
      .execute();
  }

  private async render(secrets: readonly Secret[]): Promise<SecretView[]> {
    const uses = await this.database.getRepository(BlueprintSecret).find({
      where: { secretId: In(secrets.map(({ id }) => id)) },
      relations: { blueprint: true },
      order: { blueprint: { name: 'ASC' } },
    });
    return secrets.map(({ id, name, createdAt, updatedAt }) => ({
      name,
      blueprints: uses
        .filter((use) => use.secretId === id)
        .map(({ blueprint }) => ({ id: blueprint.id, name: blueprint.name })),
      createdAt: createdAt.toISOString(),
      updatedAt: updatedAt.toISOString(),
    }));
  }
}

async function refuseInUse(manager: EntityManager, { id, name }: Secret): Promise<void> {
  const blueprints = await manager.query<{ name: string }[]>(
    `SELECT blueprints.name FROM blueprint_secrets used JOIN blueprints ON blueprints.id = used.blueprint_id
     WHERE used.secret_id = $1 ORDER BY blueprints.name`,
    [id],
  );
  if (blueprints.length > 0)
    throw new Conflict(
      `${name} cannot be deleted: blueprints use it (${blueprints.map((one) => one.name).join(', ')}).`,
    );
}
