import type { Blueprint, BlueprintInput, BlueprintOverlay } from './schema';

/** What the editor holds while it is edited. */
export interface BlueprintDraft {
  name: string;
  description: string;
  overlays: BlueprintOverlay[];
  arguments: string[];
  config: string;
}

/** The editor's contents for a blueprint, or for a new one. */
export function draftOf(blueprint: Blueprint | null): BlueprintDraft {
  return {
    name: blueprint?.name ?? '',
    description: blueprint?.description ?? '',
    overlays: blueprint?.overlays.map((overlay) => ({ ...overlay })) ?? [],
    arguments: rowsOf(blueprint?.arguments ?? []),
    config: blueprint?.config ?? (blueprint ? '' : 'hostname "{{title}}"\n'),
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

/** Whether saving would change anything. */
export function differs(left: BlueprintDraft, right: BlueprintDraft): boolean {
  return JSON.stringify(inputOf(left)) !== JSON.stringify(inputOf(right));
}
