import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { keptIn, readIfThere } from '../config/kept-value.js';
import { type Settings, WrongSettings } from '../config/settings.js';

/** Where the right key is, for whoever has a wrong one or none. */
export const RIGHT_KEY =
  'Set SECRET_KEY to the text ' +
  "of the file secret-key in the LEFT4ME_ROOT of the panel's first machine, or to the SECRET_KEY set there.";

const fileIn = (root: string) => path.join(root, 'secret-key');

/** The key kept in a state folder, if there is one. */
export function keptSecretKey(root: string): Promise<string | null> {
  return readIfThere(fileIn(root));
}

/**
 * The key that passwords of servers are encrypted with, kept beside the data it belongs to where no SECRET_KEY is given.
 * @param encrypted whether the database's secrets have a key already: another one is not made up then
 * @throws WrongSettings where there is none and none may be made up; a worker never does, it needs that of the API
 */
export function secretKeyIn(
  { root, apiEnabled }: Pick<Settings, 'root' | 'apiEnabled'>,
  encrypted: boolean,
): Promise<string> {
  const file = fileIn(root);
  return keptIn(file, () => {
    if (!apiEnabled)
      throw new WrongSettings(
        `SECRET_KEY: a process with --role worker needs that of the API; without one given, the API keeps it in the file ` +
          `secret-key of its LEFT4ME_ROOT. There is no ${file} here.`,
      );
    if (encrypted)
      throw new WrongSettings(
        `SECRET_KEY: the secrets in this database are encrypted with a key that is not here: there is no ${file}. ${RIGHT_KEY}`,
      );
    return randomBytes(32).toString('base64url');
  });
}
