import { bytes, plural } from '../design/amounts';
import type { TrashEntry } from './schema';

/** "12 files, 4.2 MB". */
export function amount({ files, bytes: size }: Pick<TrashEntry, 'files' | 'bytes'>): string {
  return files === null || size === null ? 'not counted' : `${plural(files, 'file')}, ${bytes(size)}`;
}
