import { ref } from 'vue';

const now = ref(Date.now());
let ticking = false;

/** The present, moving on every five seconds: enough for "3 minutes ago". */
export function useNow() {
  if (!ticking) {
    ticking = true;
    setInterval(() => {
      if (document.visibilityState === 'visible') now.value = Date.now();
    }, 5_000);
    document.addEventListener('visibilitychange', () => (now.value = Date.now()));
  }
  return now;
}

const words = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const steps: [Intl.RelativeTimeFormatUnit, number, number][] = [
  ['minute', 60, 60],
  ['hour', 3_600, 24],
  ['day', 86_400, 7],
  ['week', 604_800, 5],
  ['month', 2_629_800, 12],
];

/** "just now", "3 minutes ago", "in 2 days". */
export function relativeTime(iso: string, at: number): string {
  const seconds = Math.round((Date.parse(iso) - at) / 1000);
  if (Number.isNaN(seconds)) return '';
  // A clock that runs a little ahead of this one must not give "in 3 seconds".
  if (Math.abs(seconds) < 45) return 'just now';
  for (const [unit, size, limit] of steps) {
    const count = Math.round(seconds / size);
    if (Math.abs(count) < limit) return words.format(count, unit);
  }
  return words.format(Math.round(seconds / 31_557_600), 'year');
}

const absolute = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

/** Date and time in the reader's own zone and language. */
export function absoluteTime(iso: string): string {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? iso : absolute.format(date);
}

/** "8 ms", "4.2 s", "3 min 5 s", "2 h 10 min". */
export function duration(milliseconds: number): string {
  // What is over at once takes some time nevertheless: "0.0 s" would look broken.
  if (milliseconds < 100) return `${Math.max(1, Math.round(milliseconds))} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return whole % 60 ? `${minutes} min ${whole % 60} s` : `${minutes} min`;
  return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes / 60} h`;
}
