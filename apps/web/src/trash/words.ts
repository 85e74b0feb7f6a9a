import { plural } from '../design/amounts';

/** "30 days", to the nearest one; "less than a day", "no longer". */
export function timeLeft(keptUntil: string, now: number): string {
  const days = (Date.parse(keptUntil) - now) / 86_400_000;
  if (days < 0) return 'no longer';
  return days < 1 ? 'less than a day' : plural(Math.round(days), 'day');
}
