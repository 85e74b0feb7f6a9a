import type { Machine } from './machine.js';
import type { Panel } from './panel.js';

/** A blueprint whose servers are this script, in place of srcds_run; its id. */
export async function scriptedBlueprint(name: string, script: string, machine: Machine, panel: Panel): Promise<number> {
  const overlay = await panel.make('overlays', { name, catalog: true });
  await panel.ask('PUT', `/overlays/${overlay}/files/content?path=srcds_run`, script);
  // Uploads are not executable; somebody at the machine makes it so.
  await machine.get('chmod', '+x', `/var/lib/left4me/drafts/${overlay}/srcds_run`);
  await panel.does(`/overlays/${overlay}/builds`);
  return panel.make('blueprints', { name, overlays: [{ overlayId: overlay }] });
}

/** Makes a server of such a blueprint and starts it. */
export async function startScripted(name: string, script: string, machine: Machine, panel: Panel): Promise<void> {
  const blueprintId = await scriptedBlueprint(name, script, machine, panel);
  await panel.make('servers', { name, blueprintId });
  await panel.does(`/servers/${name}/jobs`, { operation: 'start' });
}
