import type { InstanceStatus } from '@left4me/host';
import { Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { RconPasswords } from '../servers/rcon-password.js';
import { maskedLine } from './masked-line.js';
import type { SealedTexts } from './sealed-texts.js';
import { SecretFinder } from './secret-finder.js';
import { SecretValues } from './secret-values.js';

const query = `
  SELECT rcon_password AS password, ARRAY(SELECT sealed FROM given_values WHERE server_id = servers.id) AS given
  FROM servers WHERE id = $1`;

/** What may not be shown of servers, wherever their output or their files are. */
@Injectable()
export class ServerMasks {
  private readonly logger = new Logger('Secrets');
  private readonly known = new Map<number, Promise<SecretFinder>>();

  constructor(
    private readonly database: DataSource,
    private readonly passwords: RconPasswords,
    private readonly secrets: SecretValues,
  ) {}

  /** Every value that may not be shown: the RCON password and what it was ever given. None for a server that is gone. */
  async valuesOf(serverId: number): Promise<string[]> {
    const [row] = await this.database.query<{ password: Buffer; given: Buffer[] }[]>(query, [serverId]);
    if (!row) return [];
    const values = [
      this.opened(this.passwords, row.password),
      ...row.given.map((one) => this.opened(this.secrets, one)),
    ];
    return values.filter((value) => value !== null);
  }

  /**
   * Finds them, read and made once: a process that gives a server other values says so (`forget`).
   * @throws what PostgreSQL says; the next call asks again
   */
  of(serverId: number): Promise<SecretFinder> {
    const known = this.known.get(serverId);
    if (known) return known;
    const asked = this.valuesOf(serverId).then((values) => new SecretFinder(values));
    this.known.set(serverId, asked);
    asked.catch(() => {
      if (this.known.get(serverId) === asked) this.known.delete(serverId);
    });
    return asked;
  }

  /** The server was given other values, or is gone. */
  forget(serverId: number): void {
    this.known.delete(serverId);
  }

  /** The status without secrets in what the server said last. */
  async applyTo(serverId: number, status: InstanceStatus): Promise<InstanceStatus> {
    if (status.reason === null) return status;
    return { ...status, reason: maskedLine(status.reason, await this.of(serverId)) };
  }

  /** One that cannot be opened cannot have reached a server either, and must not hold up the logs. */
  private opened(texts: SealedTexts, sealed: Buffer): string | null {
    try {
      return texts.open(sealed);
    } catch (error) {
      this.logger.warn(`A secret is not masked: ${error instanceof Error ? error.message : String(error)}`);
      return null;
    }
  }
}
