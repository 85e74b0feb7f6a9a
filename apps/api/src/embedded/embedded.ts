import { join } from 'node:path';
import { startPostgres } from './postgres.js';
import { startRedis } from './redis.js';
import { servicePlaces } from './service-places.js';
import type { Service } from './service.js';

export interface EmbeddedOptions {
  /** The state folder; the caller holds it (see lockState). */
  root: string;
  /** Told what is being done, one line at a time, where it takes a moment. */
  report: (line: string) => void;
  needs: { postgres: boolean; redis: boolean };
  /** Where programs that the machine lacks are unpacked to; `<root>/cache/packages` unless given. */
  cacheFolder?: string;
  /** Settings of PostgreSQL beside the usual ones. */
  postgresSettings?: Readonly<Record<string, string>>;
}

export interface Embedded {
  /** Present when PostgreSQL was asked for. */
  databaseUrl?: string;
  /** Present when Redis was asked for: `unix:<path>`, see redisConnection. */
  redisUrl?: string;
  /** Process ids, for those who want to watch them. */
  processes: { postgres?: number; redis?: number };
  /** Resolves with its name when one of them ends without having been asked to. */
  failed: Promise<string>;
  /** Ends both properly. To be called after the last connection is closed. */
  stop(): Promise<void>;
}

/** Starts the PostgreSQL and the Redis that a panel brings along, on Unix sockets in a private folder. */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const { root, report, needs } = options;
  const places = await servicePlaces(root);
  const cacheFolder = options.cacheFolder ?? join(root, 'cache', 'packages');
  const settings = options.postgresSettings;
  const { user } = places;
  const [postgres, redis] = await bothOrNeither(
    needs.postgres ? startPostgres({ ...places.of('postgres'), user, report, settings }) : undefined,
    needs.redis ? startRedis({ ...places.of('redis'), cacheFolder, report }) : undefined,
  );

  let stopping: Promise<void> | undefined;
  const ended = async (name: string, service: Service): Promise<string> => {
    await service.ended();
    return stopping ? new Promise<never>(() => undefined) : name;
  };
  const watched: Promise<string>[] = [];
  if (postgres) watched.push(ended('PostgreSQL', postgres.service));
  if (redis) watched.push(ended('Redis', redis.service));
  return {
    databaseUrl: postgres?.url,
    redisUrl: redis?.url,
    processes: { postgres: postgres?.service.pid, redis: redis?.service.pid },
    failed: Promise.race(watched),
    stop: () => {
      stopping ??= Promise.all([postgres?.service.stop(), redis?.service.stop()]).then(() => places.remove());
      return stopping;
    },
  };
}

/** Waits for both; when one could not be started the other is ended again. */
async function bothOrNeither<A extends { service: Service }, B extends { service: Service }>(
  a: Promise<A> | undefined,
  b: Promise<B> | undefined,
): Promise<[A | undefined, B | undefined]> {
  const outcomes = await Promise.allSettled([a, b]);
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (!failure) return Promise.all([a, b]);
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') await outcome.value?.service.stop();
  }
  throw failure.reason;
}
