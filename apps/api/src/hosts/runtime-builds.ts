import type { Host, NewestBuild } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

/** Keeps the rows of a host's runtime builds equal to what is on its disk. */
@Injectable()
export class RuntimeBuilds {
  constructor(private readonly database: DataSource) {}

  /** Reads the installed builds and writes them down. A build that generations still pin keeps its row. */
  async sync(hostId: number, host: Host): Promise<void> {
    const { current, builds, newest } = await host.runtimes();
    await this.noteNewest(hostId, newest);
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

  /** Writes down what Steam said was its newest build. @returns whether it is another one than before */
  async noteNewest(hostId: number, newest: NewestBuild | null): Promise<boolean> {
    const [before] = await this.database.query<{ build: string | null }[]>(
      `SELECT newest_build AS build FROM hosts WHERE id = $1`,
      [hostId],
    );
    const [, written] = await this.database.query<[unknown[], number]>(
      `UPDATE hosts SET newest_build = $2, newest_build_at = $3
       WHERE id = $1 AND ($3::timestamptz IS NULL OR newest_build_at IS NULL OR newest_build_at <= $3)`,
      [hostId, newest?.build ?? null, newest?.seenAt ?? null],
    );
    return written > 0 && before?.build !== (newest?.build ?? null);
  }
}
