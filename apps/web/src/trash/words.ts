import { plural } from '../design/amounts';

/** "29 days", "less than a day", "no longer". */
export function timeLeft(keptUntil: string, now: number): string {
  const days = Math.floor((Date.parse(keptUntil) - now) / 86_400_000);
  if (days < 0) return 'no longer';
  return days === 0 ? 'less than a day' : plural(days, 'day');
}
