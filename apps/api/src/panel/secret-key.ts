import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { keptIn } from '../config/kept-value.js';
import { type Settings, WrongSettings } from '../config/settings.js';

/**
 * The key that passwords of servers are encrypted with, kept beside the data it belongs to where no SECRET_KEY is given.
 * @throws WrongSettings for a worker alone that has none: the API has encrypted with another one than it would make up
 */
export function secretKeyIn({ root, apiEnabled }: Pick<Settings, 'root' | 'apiEnabled'>): Promise<string> {
  const file = path.join(root, 'secret-key');
  return keptIn(file, () => {
    if (apiEnabled) return randomBytes(32).toString('base64url');
    throw new WrongSettings(
      `SECRET_KEY: a process with --role worker needs that of the API; without one given, the API keeps it in the file ` +
        `secret-key of its LEFT4ME_ROOT. There is no ${file} here.`,
    );
  });
}
