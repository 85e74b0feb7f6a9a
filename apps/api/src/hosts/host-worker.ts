import { randomUUID } from 'node:crypto';
import { type Host, HostError, type InstanceStatus } from '@left4me/host';
import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { RunningSettings, WrongSettings } from '../config/settings.js';
import { Dispatcher } from '../jobs/queue/dispatcher.js';
import { JobLines } from '../jobs/log/job-lines.js';
import { JobRows } from '../jobs/worker/job-rows.js';
import { LaneWorkers } from '../jobs/worker/lane-workers.js';
import { OperationHandlers } from '../jobs/worker/operation-handler.js';
import { discardLeftBuilds, endLeftBehind } from '../jobs/worker/recovery.js';
import { ServerLogFeed } from '../logs/server-log-feed.js';
import { Announcements } from '../redis/announcements.js';
import { RedisConnections } from '../redis/redis.js';
import { ServerMasks } from '../secrets/server-masks.js';
import { ServerFileWorker } from '../server-files/server-file-worker.js';
import { StatePoller } from '../states/state-poller.js';
import { TrashKeeper } from '../trash/trash-keeper.js';
import { HostLibrary } from './host-library.js';
import { HostPresence } from './host-presence.js';
import { NewestBuildWatch } from './newest-build-watch.js';
import { RuntimeBuilds } from './runtime-builds.js';
import { stateIdIn } from './state-id.js';

/**
 * The worker of this machine's host, from start to stop: ends what a former worker left behind, takes the host over under an
 * incarnation of its own, then runs its lanes, watches its servers and feeds their logs.
 */
@Injectable()
export class HostWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Worker');
  private readonly incarnation = randomUUID();
  private lanes: LaneWorkers | null = null;
  private lost = false;
  private ending: Promise<void> | null = null;

  constructor(
    private readonly settings: RunningSettings,
    private readonly database: DataSource,
    private readonly library: HostLibrary,
    private readonly presence: HostPresence,
    private readonly builds: RuntimeBuilds,
    private readonly handlers: OperationHandlers,
    private readonly rows: JobRows,
    private readonly lines: JobLines,
    private readonly dispatcher: Dispatcher,
    private readonly announcements: Announcements,
    private readonly redis: RedisConnections,
    private readonly poller: StatePoller,
    private readonly feed: ServerLogFeed,
    private readonly newest: NewestBuildWatch,
    private readonly files: ServerFileWorker,
    private readonly trash: TrashKeeper,
    private readonly masks: ServerMasks,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const hostId = await this.presence.ensureHost(this.settings.host);
    if (!this.settings.workerEnabled) return;
    const host = await this.openMachine();
    await this.takeOver(hostId, host);
    if (this.lost) return;
    this.lanes = new LaneWorkers({
      hostId,
      incarnation: this.incarnation,
      concurrency: this.settings.workerConcurrency,
      database: this.database,
      redis: this.redis,
      announcements: this.announcements,
      handlers: this.handlers,
      dispatcher: this.dispatcher,
      rows: this.rows,
      lines: this.lines,
      masks: this.masks,
      lookAt: async (serverId, name) => {
        const status = await this.lookAt(host, serverId, name);
        if (status) this.feed.seen(serverId, status);
        return status;
      },
    });
    this.lanes.start();
    this.poller.start(hostId);
    this.feed.start(hostId);
    this.newest.start(hostId);
    await this.files.start(hostId);
    this.trash.start(hostId);
    const { isolation } = host.facts;
    this.logger.log(`Serving host ${this.settings.host} (${this.settings.serviceManager} manager, ${isolation}).`);
  }

  /** @throws WrongSettings when the machine cannot do what the settings ask for */
  private async openMachine(): Promise<Host> {
    try {
      return await this.library.get();
    } catch (error) {
      if (error instanceof HostError && error.code === 'not-supported') {
        throw new WrongSettings(error.message, { cause: error });
      }
      throw error;
    }
  }

  private async takeOver(hostId: number, host: Host): Promise<void> {
    const { machineId, isolation, isolationReason, runtimeKind } = host.facts;
    const { serviceManager, workerConcurrency } = this.settings;
    const machine = {
      machineId,
      stateId: await stateIdIn(this.settings.root),
      serviceManager,
      isolation,
      isolationReason,
      demo: runtimeKind === 'demo',
      workerConcurrency,
    };
    await this.presence.begin(hostId, this.incarnation, machine, () => void this.lose());
    const lookAt = (serverId: number, name: string) => this.lookAt(host, serverId, name);
    const { rows, announcements } = this;
    // Before its job has ended, after which its server could be deleted, and nobody would know whose the files are.
    await this.trash
      .match(hostId, host)
      .catch((error: unknown) => this.logger.warn(`The trash was not looked at: ${String(error)}`));
    await discardLeftBuilds(this.database, host, hostId, this.incarnation);
    await endLeftBehind(this.database, { rows, announcements, lookAt }, hostId, this.incarnation);
    await this.builds.sync(hostId, host);
    void this.dispatcher.dispatch();
  }

  /** What a server does, without secrets in what it said last. */
  private async lookAt(host: Host, serverId: number, name: string): Promise<InstanceStatus | null> {
    const [status] = await host.status([name]);
    return status ? this.masks.applyTo(serverId, status) : null;
  }

  /** Jobs of this worker do not count any more, and no other would be given to it. Whoever runs the panel has to look into it. */
  private async lose(): Promise<void> {
    this.lost = true;
    this.logger.error(
      `Another worker serves host ${this.settings.host} now: this one ends its jobs and takes no more until it is started ` +
        `again. The panel goes on answering; game servers go on running.`,
    );
    await this.endWork();
  }

  /** While PostgreSQL and Redis are still there: ends what runs, as interrupted. Servers go on. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.endWork();
    await this.presence.end(this.incarnation);
  }

  private endWork(): Promise<void> {
    this.ending ??= this.stopAll();
    return this.ending;
  }

  private async stopAll(): Promise<void> {
    if (!this.lanes) return;
    const { lanes, poller, feed, newest, trash, files } = this;
    await Promise.all([lanes.stop('shutdown'), poller.stop(), feed.stop(), newest.stop(), trash.stop(), files.stop()]);
  }
}
