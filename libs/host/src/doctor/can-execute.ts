import { access, constants } from 'node:fs/promises';
import { hasCode } from '../overlay/durable.js';

/** Whether the file is there and this user may run it. */
export async function canExecute(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return false;
    throw error;
  }
}
