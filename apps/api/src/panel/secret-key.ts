import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { keptIn } from '../config/kept-value.js';

/** The key that passwords of servers are encrypted with, kept beside the data it belongs to where no SECRET_KEY is given. */
export function secretKeyIn(root: string): Promise<string> {
  return keptIn(path.join(root, 'secret-key'), () => randomBytes(32).toString('base64url'));
}
