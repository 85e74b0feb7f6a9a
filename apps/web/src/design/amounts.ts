const number = new Intl.NumberFormat('en');
const decimal = { step: 1000, units: ['B', 'KB', 'MB', 'GB', 'TB'] };
const binary = { step: 1024, units: ['B', 'KiB', 'MiB', 'GiB', 'TiB'] };

/** "1,234". */
export function count(value: number): string {
  return number.format(value);
}

/** "1 file", "2 files". */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** Of files: "512 B", "1.5 KB", "10 GB". */
export function bytes(value: number): string {
  return scaled(value, decimal);
}

/** "12 files, 4.2 MB". Null: too many to be counted. */
export function amount({ files, bytes: size }: { files: number | null; bytes: number | null }): string {
  return files === null || size === null ? 'not counted' : `${plural(files, 'file')}, ${bytes(size)}`;
}

/** As systemd counts it, so that a limit of 3G is "3 GiB". */
export function memory(value: number): string {
  return scaled(value, binary);
}

function scaled(value: number, { step, units }: typeof decimal): string {
  let rest = value;
  let unit = 0;
  while (rest >= step && unit < units.length - 1) {
    rest /= step;
    unit += 1;
  }
  return `${unit === 0 || rest >= 100 ? Math.round(rest) : Number(rest.toFixed(1))} ${units[unit] ?? ''}`;
}
