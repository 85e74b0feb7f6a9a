import { postgresUrl } from './postgres.js';
import { servicePlaces } from './service-places.js';

/** Where the embedded PostgreSQL of a state folder listens, whoever started it. */
export async function runningPostgresUrl(root: string): Promise<string> {
  const places = await servicePlaces(root);
  return postgresUrl(places.of('postgres').socketFolder, 'left4me');
}
