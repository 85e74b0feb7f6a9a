import { InstanceFolder } from '../instances/instance-folder.js';
import { replaceCopies, type ReplaceRequest } from './replace-copies.js';

/**
 * `node replace-program.js <root> <name> <ReplaceRequest as JSON>`, started through with-lock.sh: nothing of a server's may be moved
 * while it runs, and the kernel alone knows for certain that it does not.
 */
const [root = '', name = '', text = ''] = process.argv.slice(2);
const request: ReplaceRequest = JSON.parse(text);
await replaceCopies(new InstanceFolder(root, name), request, (line) => process.stdout.write(`${line}\n`));
