import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { RunningSettings } from '../config/settings.js';
import { Announcements } from '../redis/announcements.js';
import { announceServersOf } from '../servers/announce-servers.js';
import { HostRow } from './host.entity.js';

const LOOK_MS = 5000;

/** Notices that a host's worker has gone or come back, and tells the open consoles; a worker that is gone cannot. */
@Injectable()
export class HostWatch implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Hosts');
  private readonly online = new Map<number, boolean>();
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly database: DataSource,
    private readonly announcements: Announcements,
    private readonly settings: RunningSettings,
  ) {}

  onApplicationBootstrap(): void {
    // The processes with consoles tell each other, too.
    if (!this.settings.apiEnabled) return;
    this.timer = setInterval(() => {
      this.look().catch((error: unknown) => this.logger.debug(`hosts not read: ${String(error)}`));
    }, LOOK_MS);
  }

  beforeApplicationShutdown(): void {
    if (this.timer) clearInterval(this.timer);
  }

  /** How they end is not known while the worker is away. There are as many as a host has places; those that wait may be thousands. */
  private async announceBegunJobs(hostId: number): Promise<void> {
    const rows = await this.database.query<{ id: number }[]>(
      `SELECT id FROM jobs WHERE host_id = $1 AND finished_at IS NULL AND state <> 'queued' ORDER BY id`,
      [hostId],
    );
    for (const { id } of rows) this.announcements.publish({ topic: 'job', id });
  }

  private async look(): Promise<void> {
    for (const host of await this.database.manager.find(HostRow)) {
      const now = host.online;
      const before = this.online.get(host.id);
      this.online.set(host.id, now);
      if (before === undefined || before === now) continue;
      this.announcements.publish({ topic: 'host', id: host.id });
      await announceServersOf({ hostId: host.id }, this.database, this.announcements);
      await this.announceBegunJobs(host.id);
    }
  }
}
