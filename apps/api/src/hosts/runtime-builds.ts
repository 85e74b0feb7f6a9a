import type { Host } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

/** Keeps the rows of a host's runtime builds equal to what is on its disk. */
@Injectable()
export class RuntimeBuilds {
  constructor(private readonly database: DataSource) {}

  /** Reads the installed builds and writes them down. A build that generations still pin keeps its row. */
  async sync(hostId: number, host: Host): Promise<void> {
    const { current, builds } = await host.runtimes();
    await this.database.transaction(async (manager) => {
      await manager.query(
        `UPDATE runtime_builds SET current = false WHERE host_id = $1 AND current AND build IS DISTINCT FROM $2`,
        [hostId, current],
      );
      for (const { build, demo, bytes, installedAt } of builds) {
        await manager.query(
          `INSERT INTO runtime_builds (host_id, build, demo, bytes, installed_at, current) VALUES ($1, $2, $3, $4, $5, $6)
           ON CONFLICT (host_id, build) DO UPDATE SET demo = excluded.demo, bytes = excluded.bytes,
             installed_at = excluded.installed_at, current = excluded.current`,
          [hostId, build, demo, bytes, installedAt, build === current],
        );
      }
      await manager.query(
        `DELETE FROM runtime_builds gone WHERE host_id = $1 AND build <> ALL ($2)
           AND NOT EXISTS (SELECT FROM generations WHERE generations.runtime_build_id = gone.id)`,
        [hostId, builds.map((b) => b.build)],
      );
    });
  }
}
