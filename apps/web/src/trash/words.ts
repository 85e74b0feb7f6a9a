import { bytes, plural } from '../design/amounts';
import type { TrashEntry } from './schema';

/** "12 files, 4.2 MB". */
export function amount({ files, bytes: size }: Pick<TrashEntry, 'files' | 'bytes'>): string {
  return files === null || size === null ? 'not counted' : `${plural(files, 'file')}, ${bytes(size)}`;
}

/** "29 days", "less than a day", "no longer". */
export function timeLeft(keptUntil: string, now: number): string {
  const days = Math.floor((Date.parse(keptUntil) - now) / 86_400_000);
  if (days < 0) return 'no longer';
  return days === 0 ? 'less than a day' : plural(days, 'day');
}
