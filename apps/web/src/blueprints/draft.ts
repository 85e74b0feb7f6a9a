import type { Blueprint, BlueprintFile, BlueprintInput, BlueprintOverlay } from './schema';

/** What the editor holds while it is edited. */
export interface BlueprintDraft {
  name: string;
  description: string;
  overlays: BlueprintOverlay[];
  arguments: string[];
  config: string;
  files: BlueprintFile[];
  hide: string[];
}

/** The editor's contents for a blueprint, or for a new one. */
export function draftOf(blueprint: Blueprint | null): BlueprintDraft {
  return {
    name: blueprint?.name ?? '',
    description: blueprint?.description ?? '',
    overlays: blueprint?.overlays.map((overlay) => ({ ...overlay })) ?? [],
    arguments: rowsOf(blueprint?.arguments ?? []),
    config: blueprint?.config ?? '',
    files: blueprint?.files.map((file) => ({ ...file })) ?? [],
    hide: [...(blueprint?.hide ?? [])],
  };
}

/** What is sent; argument rows become words, see `sentRange` for the way back. */
export function inputOf(draft: BlueprintDraft): BlueprintInput {
  return {
    name: draft.name.trim(),
    description: draft.description.trim(),
    overlays: draft.overlays.map(({ overlayId, exposeServerCfg }) => ({ overlayId, exposeServerCfg })),
    arguments: draft.arguments.flatMap(wordsOf),
    config: draft.config,
    files: draft.files.map(({ path, content }) => ({ path: path.trim(), content })),
    hide: draft.hide.map((path) => path.trim()).filter((path) => path !== ''),
  };
}

/** A row's words: the panel wants each word of the command line for itself. Spaces inside {{ name }} part nothing. */
function wordsOf(row: string): string[] {
  return row.match(/(?:\{\{[^{}]*\}\}|\S)+/g) ?? [];
}

/** Words as rows, an option with its values in each: "+map c1m1_hotel versus". */
export function rowsOf(words: readonly string[]): string[] {
  const rows: string[] = [];
  for (const word of words) {
    const last = rows.length - 1;
    if (last < 0 || /^[+-]+[a-z_]/i.test(word)) rows.push(word);
    else rows[last] += ` ${word}`;
  }
  return rows;
}

/** The places that a row's words have in what is sent; `to` is not included. */
export function sentRange(rows: readonly string[], row: number): { from: number; to: number } {
  const from = rows.slice(0, row).flatMap(wordsOf).length;
  return { from, to: from + wordsOf(rows[row] ?? '').length };
}

/** The place that a hidden path's row has in what is sent; null: an empty row is not sent. */
export function sentIndex(rows: readonly string[], row: number): number | null {
  if ((rows[row] ?? '').trim() === '') return null;
  return rows.slice(0, row).filter((path) => path.trim() !== '').length;
}

/** Whether saving would change anything. */
export function differs(left: BlueprintDraft, right: BlueprintDraft): boolean {
  return JSON.stringify(inputOf(left)) !== JSON.stringify(inputOf(right));
}
