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
    arguments: [...(blueprint?.arguments ?? [])],
    config: blueprint?.config ?? (blueprint ? '' : 'hostname "{{title}}"\n'),
  };
}

/** What is sent; empty argument rows are left out, see `sentIndex` for the way back. */
export function inputOf(draft: BlueprintDraft): BlueprintInput {
  return {
    name: draft.name.trim(),
    description: draft.description.trim(),
    overlays: draft.overlays.map(({ overlayId, exposeServerCfg }) => ({ overlayId, exposeServerCfg })),
    arguments: draft.arguments.map((argument) => argument.trim()).filter((argument) => argument !== ''),
    config: draft.config,
  };
}

/** The index an argument row has in what is sent; -1 for an empty row. */
export function sentIndex(rows: readonly string[], row: number): number {
  if ((rows[row] ?? '').trim() === '') return -1;
  return rows.slice(0, row).filter((argument) => argument.trim() !== '').length;
}

/** Whether saving would change anything. */
export function differs(left: BlueprintDraft, right: BlueprintDraft): boolean {
  return JSON.stringify(inputOf(left)) !== JSON.stringify(inputOf(right));
}
