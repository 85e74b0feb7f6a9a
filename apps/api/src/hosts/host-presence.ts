import { Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Announcements } from '../redis/announcements.js';
import type { HostRow } from './host.entity.js';

const HEARTBEAT_MS = 5000;
/** A worker not seen for this long is gone, as far as anybody can tell. */
export const OFFLINE_AFTER_MS = 15_000;

/** What a worker says of its machine. */
export type Machine = Pick<HostRow, 'machineId' | 'serviceManager' | 'isolation' | 'isolationReason' | 'demo'>;

/** Writes down which worker serves a host, and that it lives. */
@Injectable()
export class HostPresence {
  private readonly logger = new Logger('Host');
  private heartbeat: NodeJS.Timeout | null = null;
  private hostId: number | null = null;

  constructor(
    private readonly database: DataSource,
    private readonly announcements: Announcements,
  ) {}

  /** The id of the named host, whose row is made where it is missing. */
  async ensureHost(name: string): Promise<number> {
    await this.database.query(`INSERT INTO hosts (name) VALUES ($1) ON CONFLICT (name) DO NOTHING`, [name]);
    const [row] = await this.database.query<{ id: number }[]>(`SELECT id FROM hosts WHERE name = $1`, [name]);
    if (!row) throw new Error(`The host ${name} could not be written to the database.`);
    return row.id;
  }

  /** Makes this worker the host's. From now on a former worker's updates do not count. */
  async begin(hostId: number, incarnation: string, machine: Machine): Promise<void> {
    this.hostId = hostId;
    const { machineId, serviceManager, isolation, isolationReason, demo } = machine;
    await this.database.query(
      `UPDATE hosts SET incarnation = $2, worker_seen_at = clock_timestamp(), machine_id = $3, service_manager = $4,
         isolation = $5, isolation_reason = $6, demo = $7 WHERE id = $1`,
      [hostId, incarnation, machineId, serviceManager, isolation, isolationReason, demo],
    );
    this.heartbeat = setInterval(() => void this.beat(hostId, incarnation), HEARTBEAT_MS);
    this.announcements.publish({ topic: 'host', id: hostId });
  }

  /** The worker stops in an orderly way: the host is offline at once. */
  async end(incarnation: string): Promise<void> {
    if (this.heartbeat) clearInterval(this.heartbeat);
    await this.database.query(`UPDATE hosts SET worker_seen_at = NULL WHERE incarnation = $1`, [incarnation]);
    if (this.hostId !== null) this.announcements.publish({ topic: 'host', id: this.hostId });
  }

  private async beat(hostId: number, incarnation: string): Promise<void> {
    try {
      await this.database.query(
        `UPDATE hosts SET worker_seen_at = clock_timestamp() WHERE id = $1 AND incarnation = $2`,
        [hostId, incarnation],
      );
    } catch (error) {
      this.logger.debug(`heartbeat not written: ${String(error)}`);
    }
  }
}

/** Whether a host's worker lives. */
export function isOnline(host: Pick<HostRow, 'workerSeenAt'>, now = Date.now()): boolean {
  return host.workerSeenAt !== null && now - host.workerSeenAt.getTime() < OFFLINE_AFTER_MS;
}
