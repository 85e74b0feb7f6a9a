const number = new Intl.NumberFormat('en');
const units = ['B', 'KB', 'MB', 'GB', 'TB'];

/** "1,234". */
export function count(value: number): string {
  return number.format(value);
}

/** "1 file", "2 files". */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** "512 B", "1.5 KB", "10 GB". */
export function bytes(value: number): string {
  let rest = value;
  let unit = 0;
  while (rest >= 1000 && unit < units.length - 1) {
    rest /= 1000;
    unit += 1;
  }
  return `${unit === 0 || rest >= 100 ? Math.round(rest) : Number(rest.toFixed(1))} ${units[unit] ?? ''}`;
}
