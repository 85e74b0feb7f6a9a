import pg from 'pg';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { Session } from '../auth/session.entity.js';
import { BlueprintOverlay } from '../blueprints/blueprint-overlay.entity.js';
import { Blueprint } from '../blueprints/blueprint.entity.js';
import { HostRow } from '../hosts/host.entity.js';
import { RuntimeBuild } from '../hosts/runtime-build.entity.js';
import { IdempotencyKey } from '../idempotency/idempotency-key.entity.js';
import { JobClaim } from '../jobs/job-claim.entity.js';
import { JobLogLine } from '../jobs/job-log-line.entity.js';
import { Job } from '../jobs/job.entity.js';
import { DraftLease } from '../overlays/draft-lease.entity.js';
import { DraftUpload } from '../overlays/draft-upload.entity.js';
import { Overlay } from '../overlays/overlay.entity.js';
import { RemovedOverlay } from '../overlays/removed-overlay.entity.js';
import { OverlayRevision } from '../overlays/revision.entity.js';
import { BlueprintSecret } from '../secrets/blueprint-secret.entity.js';
import { GivenValue } from '../secrets/given-value.entity.js';
import { Secret } from '../secrets/secret.entity.js';
import { OverlayScript } from '../scripts/overlay-script.entity.js';
import { GenerationRevision } from '../servers/generation-revision.entity.js';
import { Generation } from '../servers/generation.entity.js';
import { Server } from '../servers/server.entity.js';
import { Token } from '../tokens/token.entity.js';
import { TrashEntryRow } from '../trash/trash-entry.entity.js';
import { User } from '../users/user.entity.js';
import { RevisionItem } from '../workshop/revision-item.entity.js';
import { WorkshopItem } from '../workshop/workshop-item.entity.js';
import { WorkshopMembership } from '../workshop/workshop-membership.entity.js';
import { migrations } from './migrations/index.js';
import { SnakeNaming } from './snake-naming.js';

export const entities = [
  User,
  Session,
  Token,
  HostRow,
  RuntimeBuild,
  Overlay,
  OverlayRevision,
  DraftLease,
  DraftUpload,
  RemovedOverlay,
  WorkshopItem,
  WorkshopMembership,
  RevisionItem,
  OverlayScript,
  Blueprint,
  BlueprintOverlay,
  Secret,
  BlueprintSecret,
  Server,
  Generation,
  GenerationRevision,
  Job,
  JobClaim,
  JobLogLine,
  IdempotencyKey,
  TrashEntryRow,
  GivenValue,
];

/**
 * A connection that breaks may tell so at a moment when its pool does not listen, between two users, and such an event would end the
 * process. Whoever uses it gets the error from the statement.
 */
class Client extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config);
    this.on('error', () => undefined);
  }
}

/** A server that went away without a word is noticed within minutes instead of holding whoever waits for ever. */
export const connectionOptions = {
  Client,
  connectionTimeoutMillis: 10_000,
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000,
};

/** How the database at `url` is opened; the schema comes from the migrations alone. */
export function databaseOptions(url: string): DataSourceOptions {
  return {
    type: 'postgres',
    url,
    entities,
    migrations,
    namingStrategy: new SnakeNaming(),
    synchronize: false,
    migrationsTransactionMode: 'each',
    applicationName: 'left4me',
    poolSize: 15,
    extra: connectionOptions,
  };
}

/** Any number that no other advisory lock of this database uses. */
const MIGRATION_LOCK = 4_640_000;

/** Opens the database and brings its schema up to date. Of processes that start together one migrates, the others wait for it. */
export async function openDatabase(url: string): Promise<DataSource> {
  const database = await new DataSource(databaseOptions(url)).initialize();
  try {
    await migrate(database);
  } catch (error) {
    await database.destroy();
    throw error;
  }
  return database;
}

async function migrate(database: DataSource): Promise<void> {
  const lock = database.createQueryRunner();
  try {
    // Held by the connection: a process that dies in the middle lets go of it.
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await database.runMigrations();
    await lock.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
  } finally {
    await lock.release();
  }
}
