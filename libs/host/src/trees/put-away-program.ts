import { HostError } from '../errors.js';
import { InstanceFolder } from '../instances/instance-folder.js';
import { putAway } from './put-away.js';

/**
 * `node put-away-program.js <root> <name> <isolation> <path> <removed>`, started under the instance's lock: nothing is taken from under a server that
 * runs or is about to. Prints what was refused as JSON.
 */
const [root = '', name = '', isolation = '', path = '', removed = ''] = process.argv.slice(2);
try {
  await putAway(new InstanceFolder(root, name), isolation === 'copy' ? 'copy' : 'namespaces', path, removed);
} catch (error) {
  if (!(error instanceof HostError)) throw error;
  process.stdout.write(`${JSON.stringify({ code: error.code, message: error.message })}\n`);
}
