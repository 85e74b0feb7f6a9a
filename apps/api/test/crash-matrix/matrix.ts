import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../eventually.js';
import { allCells, type Cell, representative, titleOf } from './cells.js';
import { crash } from './crash.js';
import { type Row, showTable } from './crash-table.js';
import { MatrixPanel } from './matrix-panel.js';
import { Truth } from './truth.js';

/** The deaths of one process: a representative part, or with LEFT4ME_CRASH_MATRIX=full all of them. */
export function matrixOf(role: Cell['role']): void {
  const full = process.env['LEFT4ME_CRASH_MATRIX'] === 'full';
  const mine = allCells().filter((cell) => cell.role === role);
  const cells = full ? mine : representative(mine);

  describe(`kill -9 of the ${role}`, () => {
    let panel: MatrixPanel;
    let truth: Truth;
    const rows: Row[] = [];
    beforeAll(async () => {
      panel = await MatrixPanel.make();
      truth = new Truth(panel);
    });
    beforeEach(() => panel.mend(), 120_000);
    afterAll(async () => {
      await showTable(role, rows);
      await panel.close();
    });

    it.each(cells.map((cell) => [titleOf(cell), cell] as const))('%s', { timeout: 180_000 }, async (_, cell) => {
      const row: Row = { ...cell, outcome: null };
      rows.push(row);
      row.outcome = await crash(panel, truth, cell);
      expect(['succeeded', 'failed', 'cancelled']).toContain(row.outcome.after);
    });

    it('leaves no twin behind in the end', { timeout: 90_000 }, async () => {
      let left: string[] = [];
      await eventually(
        () => left.join('; '),
        async () => {
          left = await truth.leftTwins();
          return left.length === 0;
        },
        60,
      );
      expect(left).toEqual([]);
    });
  });
}
