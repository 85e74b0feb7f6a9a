import { hasCode } from '../overlay/durable.js';

/** Null when the process or its file is gone, or forbids that it is looked at (prctl(2), PR_SET_DUMPABLE). */
export function ifThere<T>(look: () => T): T | null {
  try {
    return look();
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH', 'EACCES')) return null;
    throw error;
  }
}
