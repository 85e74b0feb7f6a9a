import { openHost } from '@left4me/host';
import { type DynamicModule, type LogLevel, type LoggerService, Module } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR, APP_PIPE, NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { NextFunction, Request, Response } from 'express';
import type { DataSource } from 'typeorm';
import { AuthModule } from './auth/auth.module.js';
import { Origins } from './auth/origins.js';
import { BlueprintsModule } from './blueprints/blueprints.module.js';
import { RunningSettings } from './config/settings.js';
import { serveConsole } from './console/console.js';
import { securityHeaders } from './console/security-headers.js';
import { databaseOptions, openDatabase } from './database/data-source.js';
import { Statements } from './database/statements.js';
import { HealthModule } from './health/health.module.js';
import { Measurements } from './health/measurements.js';
import { serveOpenApi } from './openapi/openapi.js';
import { OverlaysModule } from './overlays/overlays.module.js';
import { ScriptsModule } from './scripts/scripts.module.js';
import { Idempotency } from './idempotency/idempotency.interceptor.js';
import { PanelLog } from './panel-log.js';
import { jsonBodies } from './problems/bodies.js';
import { ProblemFilter } from './problems/problem.filter.js';
import { NotFound } from './problems/problems.js';
import { Validation } from './problems/validation.js';
import { QueueBoard } from './queues/queue-board.js';
import { QueuesModule } from './queues/queues.module.js';
import { OPEN_HOST, type OpenHost } from './hosts/host-library.js';
import { HostWorkerModule } from './hosts/host-worker.module.js';
import { HostsModule } from './hosts/hosts.module.js';
import { JobsModule } from './jobs/jobs.module.js';
import { LiveModule } from './live/live.module.js';
import { LogsModule } from './logs/logs.module.js';
import { RedisModule } from './redis/redis.module.js';
import { ServerFilesModule } from './server-files/server-files.module.js';
import { ServersModule } from './servers/servers.module.js';
import { TokensModule } from './tokens/tokens.module.js';
import { TrashModule } from './trash/trash.module.js';
import { UsersModule } from './users/users.module.js';
import { WorkshopModule } from './workshop/workshop.module.js';

/** The whole panel; every feature has its line. */
@Module({
  imports: [
    RedisModule,
    AuthModule,
    UsersModule,
    TokensModule,
    OverlaysModule,
    WorkshopModule,
    ScriptsModule,
    BlueprintsModule,
    ServersModule,
    TrashModule,
    JobsModule,
    HostsModule,
    LogsModule,
    ServerFilesModule,
    LiveModule,
    HostWorkerModule,
    HealthModule,
    QueuesModule,
  ],
  providers: [
    { provide: APP_INTERCEPTOR, useClass: Idempotency },
    { provide: APP_PIPE, useClass: Validation },
    { provide: APP_FILTER, useClass: ProblemFilter },
  ],
})
export class AppModule {
  /** The module with its settings and database, which every feature may inject (`RunningSettings`, `DataSource`, `Statements`). */
  static with(settings: RunningSettings, database: DataSource, open: OpenHost): DynamicModule {
    return {
      module: AppModule,
      global: true,
      imports: [
        TypeOrmModule.forRootAsync({
          useFactory: () => ({ ...databaseOptions(settings.databaseUrl), toRetry: () => false }),
          dataSourceFactory: () => Promise.resolve(database),
        }),
      ],
      providers: [{ provide: RunningSettings, useValue: settings }, { provide: OPEN_HOST, useValue: open }, Statements],
      exports: [RunningSettings, OPEN_HOST, Statements],
    };
  }
}

export interface AppOptions {
  /** By default what happens goes to stdout, without Nest's list of modules and routes; false: silent. */
  logger?: LoggerService | LogLevel[] | false;
  /** Where the built console is. */
  consoleFolder?: string;
  /** The database, open and up to date already, which belongs to the panel from now on; otherwise it is opened. */
  database?: DataSource;
  /** Opens the machine; tests give a stand-in. */
  openHost?: OpenHost;
  /** False: whoever starts the panel closes it; otherwise SIGINT and SIGTERM do. */
  closeOnSignals?: boolean;
}

/**
 * The panel, ready and with its schema up to date, not yet listening. Several can live in one process.
 * @throws when PostgreSQL cannot be reached or a migration fails
 */
export async function createApp(settings: RunningSettings, options: AppOptions = {}): Promise<NestExpressApplication> {
  // Before Nest makes anything, because Nest leaves what it has made by itself when something else fails.
  const database = options.database ?? (await openDatabase(settings.databaseUrl));
  let app: NestExpressApplication;
  try {
    app = await NestFactory.create(AppModule.with(settings, database, options.openHost ?? openHost), {
      logger: options.logger ?? new PanelLog(),
      bodyParser: false,
      // Streams of logs stay open for hours; closing does not wait for them.
      forceCloseConnections: true,
      abortOnError: false,
    });
  } catch (error) {
    await database.destroy();
    throw error;
  }
  try {
    await configure(app, settings, options);
  } catch (error) {
    await app.close();
    throw error;
  }
  return app;
}

async function configure(app: NestExpressApplication, settings: RunningSettings, options: AppOptions): Promise<void> {
  if (options.closeOnSignals !== false) app.enableShutdownHooks(['SIGINT', 'SIGTERM']);
  app.set('trust proxy', settings.trustedProxies);
  app.set('query parser', 'simple');
  app.disable('x-powered-by');

  app.use(app.get(Measurements).middleware);
  app.use(securityHeaders(settings.publicUrl?.startsWith('https://') === true));
  app.use(app.get(Origins).refuseOthers);
  app.use('/queues', app.get(QueueBoard).handler);
  serveOpenApi(app);
  app.use(serveConsole(options.consoleFolder));
  app.use(jsonBodies());
  // For the whole request: an upload may take hours. Headers, JSON and silence have limits of their own.
  app.getHttpServer().requestTimeout = 0;
  app.setGlobalPrefix('api/v1', { exclude: ['health/live', 'health/ready', 'metrics'] });
  await app.init();
  answerTheRest(app);
}

/** What neither a route nor the console answered, and what failed outside of the routes. */
function answerTheRest(app: NestExpressApplication): void {
  const filter = new ProblemFilter();
  app.use((request: Request, _response: Response, next: NextFunction) =>
    next(new NotFound(`route ${request.method} ${request.path}`)),
  );
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) =>
    filter.answer(error, request, response),
  );
}
