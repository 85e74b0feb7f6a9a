import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { Announcements } from '../redis/announcements.js';

/** What servers are made of. */
export type Source = { blueprintId: number } | { overlayId: number } | { hostId: number } | { secretId: number };

/**
 * Announces the servers whose next start may change something else from now on: their blueprint was edited, an overlay of it got a new
 * revision, a secret of it another value, or their host another build of the game. All that is done already: what fails here is only
 * said, and consoles see it with their next look.
 * @param say where: a job says it in its log
 */
export async function announceServersOf(
  source: Source,
  database: DataSource,
  announcements: Pick<Announcements, 'publish'>,
  say: (problem: string) => void | Promise<void> = (problem) => new Logger('Servers').warn(problem),
): Promise<void> {
  const [condition, id] = conditionOf(source);
  try {
    const rows = await database.query<{ id: number }[]>(`SELECT id FROM servers WHERE ${condition} ORDER BY id`, [id]);
    for (const row of rows) announcements.publish({ topic: 'server', id: row.id });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    await say(`Open consoles were not told that the next start of servers changes something: ${why}`);
  }
}

function conditionOf(source: Source): [string, number] {
  if ('blueprintId' in source) return ['blueprint_id = $1', source.blueprintId];
  if ('hostId' in source) return ['host_id = $1', source.hostId];
  if ('secretId' in source)
    return ['blueprint_id IN (SELECT blueprint_id FROM blueprint_secrets WHERE secret_id = $1)', source.secretId];
  return ['blueprint_id IN (SELECT blueprint_id FROM blueprint_overlays WHERE overlay_id = $1)', source.overlayId];
}
