import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cell } from './cells.js';
import type { Outcome } from './crash.js';

export type Row = Cell & { outcome: Outcome | null };

/** The matrix as text: one line for each death, with how long it took until everything was true again. */
export function crashTable(rows: readonly Row[]): string {
  const lines = rows.map(({ operation, scene, point, afterMs, role, outcome }) => [
    operation,
    role,
    scene,
    afterMs ? `${point} + ${afterMs} ms` : point,
    outcome ? `${outcome.atDeath} → ${outcome.after}` : '',
    outcome ? `${outcome.seconds.toFixed(1)} s` : 'FAILED',
    outcome ? `${outcome.startSeconds.toFixed(1)} s` : '',
  ]);
  const table = [['operation', 'dies', 'during', 'at', 'job', 'converged in', 'of it start'], ...lines];
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((line) => (line[column] ?? '').length)));
  return table
    .map((line) =>
      line
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Prints the matrix; `npm run test:crash` has it in a file instead, to print it last. */
export async function showTable(name: string, rows: readonly Row[]): Promise<void> {
  const folder = process.env['LEFT4ME_CRASH_TABLES'];
  if (folder) await writeFile(join(folder, `${name}.txt`), `${crashTable(rows)}\n`);
  else process.stdout.write(`\n${crashTable(rows)}\n\n`);
}
