import type { InstanceStatus } from '@left4me/host';
import { Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { RconPasswords } from '../servers/rcon-password.js';
import { LineMask } from './line-mask.js';
import type { SealedTexts } from './sealed-texts.js';
import { SecretValues } from './secret-values.js';

/** Of a server: its own secrets, those of its owner and of its blueprint's, and those its generations use; former values too. */
const query = `
  SELECT servers.rcon_password AS password, ARRAY(
    SELECT unnest(array_prepend(secrets.sealed, secrets.former)) FROM secrets
    WHERE secrets.owner_id IN (servers.owner_id, blueprints.owner_id) OR secrets.id IN (
      SELECT (used ->> 'id')::int FROM generations, jsonb_array_elements(generations.recipe -> 'secrets') used
      WHERE generations.server_id = servers.id)
  ) AS secrets
  FROM servers JOIN blueprints ON blueprints.id = servers.blueprint_id WHERE servers.id = $1`;

/** What may not be shown of servers, wherever their output or their files are. */
@Injectable()
export class ServerMasks {
  private readonly logger = new Logger('Secrets');
  private readonly known = new Map<number, Promise<LineMask>>();

  constructor(
    private readonly database: DataSource,
    private readonly passwords: RconPasswords,
    private readonly secrets: SecretValues,
  ) {}

  /** Every value that may not be shown; none for a server that is gone. */
  async valuesOf(serverId: number): Promise<string[]> {
    const [row] = await this.database.query<{ password: Buffer; secrets: Buffer[] }[]>(query, [serverId]);
    if (!row) return [];
    const values = [
      this.opened(this.passwords, row.password),
      ...row.secrets.map((one) => this.opened(this.secrets, one)),
    ];
    return values.filter((value) => value !== null);
  }

  /**
   * The mask for lines, read once: a process that gives a server other values says so (`forget`).
   * @throws what PostgreSQL says; the next call asks again
   */
  of(serverId: number): Promise<LineMask> {
    const known = this.known.get(serverId);
    if (known) return known;
    const asked = this.valuesOf(serverId).then((values) => new LineMask(values));
    this.known.set(serverId, asked);
    asked.catch(() => {
      if (this.known.get(serverId) === asked) this.known.delete(serverId);
    });
    return asked;
  }

  /** The server gets other values, or is gone. */
  forget(serverId: number): void {
    this.known.delete(serverId);
  }

  /** The status without secrets in what the server said last. */
  async applyTo(serverId: number, status: InstanceStatus): Promise<InstanceStatus> {
    if (status.reason === null) return status;
    return { ...status, reason: (await this.of(serverId)).apply(status.reason) };
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
