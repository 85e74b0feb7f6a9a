import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DataSource, IsNull } from 'typeorm';
import { Overlay } from '../overlays/overlay.entity.js';
import { OverlayScript } from '../scripts/overlay-script.entity.js';

/** From dist/commands and from src/commands alike. */
const EXAMPLES = fileURLToPath(new URL('../../../../examples/script-overlays', import.meta.url));

interface Example {
  name: string;
  description: string;
  text: string;
}

/**
 * `left4me seed-script-overlays`: puts the example scripts into the catalog, as overlays that were never built. One whose name is
 * taken there is left alone, so that it may be run again.
 * @returns a line for each
 */
export async function seedScriptOverlays(database: DataSource): Promise<string[]> {
  const said: string[] = [];
  for (const { name, description, text } of await readExamples()) {
    const made = await database.transaction(async (manager) => {
      if (await manager.existsBy(Overlay, { name, ownerId: IsNull() })) return false;
      const overlay = manager.create(Overlay, { name, description, kind: 'script', ownerId: null });
      overlay.draftChangedAt = new Date();
      await manager.insert(Overlay, overlay);
      await manager.insert(OverlayScript, { overlayId: overlay.id, text });
      return true;
    });
    said.push(made ? `Made "${name}".` : `"${name}" is in the catalog already: left as it is.`);
  }
  return said;
}

/** The example scripts, by the name and the description that their first comments give. */
export async function readExamples(): Promise<Example[]> {
  const files = (await readdir(EXAMPLES)).filter((file) => file.endsWith('.sh')).sort();
  return Promise.all(
    files.map(async (file) => {
      const text = await readFile(path.join(EXAMPLES, file), 'utf8');
      const field = (name: string): string => {
        const value = new RegExp(`^# ${name}: (.+)$`, 'm').exec(text)?.[1];
        if (value === undefined) throw new Error(`${file} has no line "# ${name}: …"`);
        return value;
      };
      return { name: field('Name'), description: field('Description'), text };
    }),
  );
}
