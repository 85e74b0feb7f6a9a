import { randomUUID } from 'node:crypto';
import { open, rm, statfs } from 'node:fs/promises';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Figure } from './figure.js';
import { median } from './statistics.js';

/** What the machine is, and how busy it was when the run began. */
export async function machine(folder: string): Promise<string[]> {
  const processors = cpus();
  return [
    `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}`,
    `Node ${process.version}, load ${loadavg()
      .map((load) => load.toFixed(1))
      .join(' ')}`,
    `disk: ${(await syncTime(folder)).toFixed(2)} ms to write 8 kB and sync it (median of 50), ${await fileSystem(folder)}`,
  ];
}

/** Milliseconds that the folder's disk takes to keep something for certain: every commit waits for that. */
async function syncTime(folder: string): Promise<number> {
  const path = join(folder, randomUUID());
  const file = await open(path, 'w');
  const took: number[] = [];
  for (let n = 0; n < 50; n += 1) {
    const from = performance.now();
    await file.write(Buffer.alloc(8192, n), 0, 8192, n * 8192);
    await file.datasync();
    took.push(performance.now() - from);
  }
  await file.close();
  await rm(path);
  return median(took);
}

async function fileSystem(folder: string): Promise<string> {
  const { type } = await statfs(folder);
  return (
    { 0xef53: 'ext4', 0x01021994: 'tmpfs: nothing is kept, so figures are better than on a disk' }[type] ??
    `file system ${type.toString(16)}`
  );
}

/** The figures as a table. */
export function table(figures: readonly Figure[]): string {
  const header = ['figure', 'value', 'unit', 'reference', 'its value', 'ratio', 'goal', ''];
  const rows = figures.map((f) => [
    f.name,
    number(f.value),
    f.unit,
    f.reference ?? '–',
    f.referenceValue === null ? '–' : number(f.referenceValue),
    f.ratio === null ? '–' : f.ratio.toFixed(2),
    f.goal ?? '–',
    f.met === null ? '' : f.met ? 'met' : 'MISSED',
  ]);
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: string[]) => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

function number(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
}
