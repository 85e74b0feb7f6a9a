import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { keptIn } from '../config/kept-value.js';

/** Tells state folders apart, also those that have the same path, in containers or on machines made from one image. */
export function stateIdIn(root: string): Promise<string> {
  return keptIn(path.join(root, 'state-id'), randomUUID);
}
