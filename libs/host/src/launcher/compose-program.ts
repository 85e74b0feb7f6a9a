import { InstanceFolder } from '../instances/instance-folder.js';
import { composeCopy } from './copy-compose.js';

/**
 * `node compose-program.js <root> <name> <request as JSON>`, started through with-lock.sh: two starts at the same time
 * must not write one copy, and none may be written while a server runs on it.
 */
const [root = '', name = '', request = '{}'] = process.argv.slice(2);
const { layers, hide, owner }: { layers?: unknown; hide?: unknown; owner?: unknown } = JSON.parse(request);
await composeCopy(
  new InstanceFolder(root, name),
  { layers: texts(layers), hide: texts(hide), owner: typeof owner === 'number' ? owner : null },
  (line) => process.stdout.write(`${line}\n`),
);

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
