import { Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { WrongSettings } from '../config/settings.js';
import { Announcements } from '../redis/announcements.js';
import { HostRow } from './host.entity.js';
import { OFFLINE_AFTER_S, onlineSql } from './online.js';

const HEARTBEAT_MS = 5000;
/** PostgreSQL may be away or slow for long; a statement that neither succeeds nor fails this long never will. */
const STUCK_MS = 180_000;

/** What a worker says of its machine. */
export type Machine = Pick<
  HostRow,
  'machineId' | 'stateId' | 'serviceManager' | 'isolation' | 'isolationReason' | 'demo' | 'workerConcurrency'
>;

/** Another worker lives on the host, and it is not one that this worker's start has proved gone. */
export class HostServed extends WrongSettings {
  constructor(host: string, where: string) {
    super(
      `LEFT4ME_HOST: the host ${host} is served by another worker, ${where}. Stop that one first, or choose another ` +
        `name; one that has died gives way after ${OFFLINE_AFTER_S} s.`,
    );
  }
}

/** Writes down which worker serves a host, and that it lives. */
@Injectable()
export class HostPresence {
  private readonly logger = new Logger('Host');
  private heartbeat: NodeJS.Timeout | null = null;
  private hostId: number | null = null;
  private lost = false;
  private lastBeat = performance.now();

  constructor(
    private readonly database: DataSource,
    private readonly announcements: Announcements,
  ) {}

  /** Whether this process does what it is for: its heartbeat is not stuck, and no other worker has taken its host. */
  get alive(): boolean {
    return !this.lost && (this.heartbeat === null || performance.now() - this.lastBeat < STUCK_MS);
  }

  /** The id of the named host, whose row is made where it is missing. */
  async ensureHost(name: string): Promise<number> {
    await this.database.query(`INSERT INTO hosts (name) VALUES ($1) ON CONFLICT (name) DO NOTHING`, [name]);
    const [row] = await this.database.query<{ id: number }[]>(`SELECT id FROM hosts WHERE name = $1`, [name]);
    if (!row) throw new Error(`The host ${name} could not be written to the database.`);
    return row.id;
  }

  /**
   * Makes this worker the host's; from now on a former worker's updates do not count. A former worker on the same state folder of the
   * same machine has ended, or the folder could not have been locked: it gives way at once, others when they were not seen for a while.
   * @param lost called when another worker has done the same to this one
   * @throws HostServed
   */
  async begin(hostId: number, incarnation: string, machine: Machine, lost: () => void): Promise<void> {
    const { machineId, stateId, serviceManager, isolation, isolationReason, demo, workerConcurrency } = machine;
    const [begun] = await this.database.query<[unknown[], number]>(
      `UPDATE hosts SET incarnation = $2, worker_seen_at = clock_timestamp(), worker_stopped = false, removed_at = NULL, machine_id = $3, state_id = $4,
         service_manager = $5, isolation = $6, isolation_reason = $7, demo = $8, worker_concurrency = $9
       WHERE id = $1 AND (NOT (${onlineSql('hosts')}) OR (machine_id = $3 AND state_id = $4)) RETURNING id`,
      [hostId, incarnation, machineId, stateId, serviceManager, isolation, isolationReason, demo, workerConcurrency],
    );
    if (begun.length === 0) throw await this.served(hostId, machine);
    this.hostId = hostId;
    this.lastBeat = performance.now();
    this.heartbeat = setInterval(() => void this.beat(hostId, incarnation, lost), HEARTBEAT_MS);
    this.announcements.publish({ topic: 'host', id: hostId });
  }

  /** The worker stops in an orderly way: the host is offline at once. */
  async end(incarnation: string): Promise<void> {
    const { hostId } = this;
    if (hostId === null) return;
    this.hostId = null;
    if (this.heartbeat) clearInterval(this.heartbeat);
    this.heartbeat = null;
    await this.database.query(
      `UPDATE hosts SET worker_seen_at = clock_timestamp(), worker_stopped = true WHERE incarnation = $1`,
      [incarnation],
    );
    this.announcements.publish({ topic: 'host', id: hostId });
  }

  private async beat(hostId: number, incarnation: string, lost: () => void): Promise<void> {
    try {
      const [, beaten] = await this.database.query<[unknown[], number]>(
        `UPDATE hosts SET worker_seen_at = clock_timestamp(), removed_at = NULL WHERE id = $1 AND incarnation = $2`,
        [hostId, incarnation],
      );
      if (beaten > 0 || !this.heartbeat) return;
      clearInterval(this.heartbeat);
      this.heartbeat = null;
      this.lost = true;
      lost();
    } catch (error) {
      this.logger.debug(`heartbeat not written: ${String(error)}`);
    } finally {
      this.lastBeat = performance.now();
    }
  }

  private async served(hostId: number, { machineId }: Machine): Promise<HostServed> {
    const other = await this.database.manager.findOneByOrFail(HostRow, { id: hostId });
    const sameMachine = other.machineId === machineId;
    const where = sameMachine ? 'on this machine with another LEFT4ME_ROOT' : `on the machine ${other.machineId}`;
    return new HostServed(other.name, where);
  }
}
