import { type EntityManager, In } from 'typeorm';
import { type FieldError, Invalid } from '../problems/problems.js';
import { BlueprintSecret } from '../secrets/blueprint-secret.entity.js';
import { Secret } from '../secrets/secret.entity.js';
import { checkArguments } from './arguments.js';
import type { BlueprintFields } from './blueprint.dto.js';
import type { Blueprint } from './blueprint.entity.js';
import { checkFiles, checkHide } from './generated-files.js';
import { checkConfig, normalizeLines } from './server-cfg.js';
import { secretsIn } from './template.js';

/** What a blueprint says, beside its overlays. */
export type Content = Pick<Blueprint, 'arguments' | 'config' | 'files' | 'hide'>;

export const emptyContent: Content = { arguments: [], config: '', files: [], hide: [] };

/**
 * What a body changes of a blueprint's content, as it is stored.
 * @param before what it has so far: what is hidden must fit what is written, whichever of the two changes
 * @param secrets the names of the owner's secrets
 * @throws Invalid naming every field that breaks a rule
 */
export function checkedContent(
  body: BlueprintFields,
  before: Content,
  secrets: ReadonlySet<string>,
): { [Field in keyof Content]: Content[Field] | undefined } {
  const config = body.config === undefined ? undefined : normalizeLines(body.config);
  const files = body.files?.map(({ path, content }) => ({ path, content: normalizeLines(content) }));
  const errors: FieldError[] = [
    ...checkArguments(body.arguments ?? []),
    ...checkConfig(config ?? '', secrets),
    ...checkFiles(files ?? [], secrets),
    ...checkHide(body.hide ?? before.hide, files ?? before.files),
  ];
  if (errors.length > 0) throw new Invalid(errors);
  return { arguments: body.arguments, config, files, hide: body.hide };
}

/**
 * Writes down which secrets a blueprint uses, which keeps them. In the transaction that wrote its content, whose row is read again:
 * somebody else may have written another field of it.
 * @throws Invalid when a secret has just been deleted, or what is hidden and what is written do not fit any more
 */
export async function settle(
  manager: EntityManager,
  { id, ownerId, ...content }: Content & Pick<Blueprint, 'id' | 'ownerId'>,
): Promise<void> {
  const errors = checkHide(content.hide, content.files);
  const used = [...new Set([content.config, ...content.files.map((file) => file.content)].flatMap(secretsIn))];
  const secrets = await manager
    .getRepository(Secret)
    .createQueryBuilder('secret')
    .setLock('for_key_share')
    .where({ ownerId, name: In(used) })
    .getMany();
  const there = new Set(secrets.map(({ name }) => name));
  for (const name of used) {
    if (there.has(name)) continue;
    const field = secretsIn(content.config).includes(name) ? 'config' : 'files';
    errors.push({ path: field, message: `there is no secret named ${name} any more` });
  }
  if (errors.length > 0) throw new Invalid(errors);
  const uses = manager.getRepository(BlueprintSecret);
  await uses.delete({ blueprintId: id });
  await uses.insert(secrets.map((secret) => ({ blueprintId: id, secretId: secret.id })));
}

/** The names of a user's secrets. */
export async function secretNames(manager: EntityManager, ownerId: number): Promise<ReadonlySet<string>> {
  const secrets = await manager.getRepository(Secret).find({ select: { id: true, name: true }, where: { ownerId } });
  return new Set(secrets.map(({ name }) => name).sort());
}
