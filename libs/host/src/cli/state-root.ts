import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { HostError } from '../errors.js';

/** Where the packaged panel keeps its state. */
const SYSTEM = '/var/lib/left4me';

/**
 * The state folder: LEFT4ME_ROOT where that is given, else that of `npm start` in this checkout, else the installed panel's.
 * @throws HostError when there is none of these, naming them
 */
export function stateRoot(given: string | undefined, checkout: string): string {
  if (given) return given;
  const own = join(checkout, '.left4me');
  const found = [own, SYSTEM].find((folder) => existsSync(folder));
  if (found !== undefined) return found;
  throw new HostError('bad-root', `neither ${own} nor ${SYSTEM} exists; LEFT4ME_ROOT says where the state is`);
}
