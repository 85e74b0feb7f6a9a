import type { WorkshopFile } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { fileNameOf } from './file-name.js';
import { RevisionItem } from './revision-item.entity.js';
import { WorkshopItem } from './workshop-item.entity.js';

/** An item as a revision holds it. */
export interface TakenItem {
  id: string;
  version: string;
  fileName: string;
}

/** What is kept of the Workshop per overlay. Steam is asked before, never while a transaction is open. */
@Injectable()
export class WorkshopRecords {
  constructor(private readonly database: DataSource) {}

  /**
   * Keeps what Steam said, and forgets what no collection of the overlay holds any more. What Steam had no answer for stays as it was.
   * @param options whether a change is marked as something to build, which it is not for the build itself
   * @returns whether a build would now make something else; false too when the overlay is gone
   */
  save(overlayId: number, files: readonly WorkshopFile[], options: { mark: boolean }): Promise<boolean> {
    return this.database.transaction(async (manager) => {
      const overlays = await manager.query<unknown[]>(`SELECT id FROM overlays WHERE id = $1 FOR UPDATE`, [overlayId]);
      if (overlays.length === 0) return false;
      const before = await contentOf(overlayId, manager);
      await saveFiles(overlayId, files, manager);
      await saveMembers(overlayId, files, manager);
      await forgetUnreachable(overlayId, manager);
      const changed = before !== (await contentOf(overlayId, manager));
      if (changed && options.mark) await markChanged(overlayId, manager);
      return changed;
    });
  }

  /** What was added to the overlay, with every change that was begun before. */
  async listed(overlayId: number): Promise<string[]> {
    // The lock waits for a change that marked the overlay before a build began and is not committed yet.
    await this.database.query(`SELECT id FROM overlays WHERE id = $1 FOR SHARE`, [overlayId]);
    const rows = await this.database.getRepository(WorkshopItem).find({
      where: { overlayId, listed: true },
      order: { id: 'ASC' },
    });
    return rows.map(({ publishedFileId }) => publishedFileId);
  }

  /** The own names of files, by item. */
  async fileNames(overlayId: number): Promise<Map<string, string>> {
    const rows = await this.database.getRepository(WorkshopItem).findBy({ overlayId });
    return new Map(rows.map((row) => [row.publishedFileId, fileNameOf(row)]));
  }

  /** Keeps what a revision holds, in the transaction that makes it current. */
  async saveRevision(revisionId: number, taken: readonly TakenItem[], manager: EntityManager): Promise<void> {
    await manager.delete(RevisionItem, { revisionId });
    await manager.query(
      `INSERT INTO workshop_revision_items (revision_id, published_file_id, version, file_name)
       SELECT $1, taken.id, taken.version, taken."fileName" FROM jsonb_to_recordset($2) AS taken (id text, version text, "fileName" text)`,
      [revisionId, JSON.stringify(taken)],
    );
  }

  /** Keeps what was wrong with files; those of the others were sound. */
  async saveFileProblems(overlayId: number, problems: readonly { id: string; problem: string }[]): Promise<void> {
    await this.database.query(
      `UPDATE workshop_items item SET file_problem = said.problem
         FROM workshop_items every LEFT JOIN jsonb_to_recordset($2) AS said (id text, problem text) ON said.id = every.published_file_id
       WHERE every.id = item.id AND item.overlay_id = $1 AND item.file_problem IS DISTINCT FROM said.problem`,
      [overlayId, JSON.stringify(problems)],
    );
  }
}

async function saveFiles(overlayId: number, files: readonly WorkshopFile[], manager: EntityManager): Promise<void> {
  const rows = files.filter(({ temporary }) => !temporary);
  await manager.query(
    `INSERT INTO workshop_items (overlay_id, published_file_id, listed)
     SELECT $1, id, false FROM unnest($2::text[]) AS given (id) ON CONFLICT DO NOTHING`,
    [overlayId, files.map(({ id }) => id)],
  );
  await manager.query(
    `UPDATE workshop_items item SET
       kind = coalesce(said.kind, item.kind), title = coalesce(said.title, item.title),
       preview_url = coalesce(said."previewUrl", item.preview_url),
       steam_updated_at = coalesce(said."updatedAt", item.steam_updated_at), bytes = coalesce(said.bytes, item.bytes),
       version = said.version, problem = said.problem, refreshed_at = clock_timestamp(),
       file_problem = CASE WHEN item.version = said.version THEN item.file_problem END
     FROM jsonb_to_recordset($2) AS said (id text, kind text, title text, bytes bigint, "previewUrl" text,
       "updatedAt" timestamptz, version text, problem text)
     WHERE item.overlay_id = $1 AND item.published_file_id = said.id`,
    [overlayId, JSON.stringify(rows)],
  );
}

async function saveMembers(overlayId: number, files: readonly WorkshopFile[], manager: EntityManager): Promise<void> {
  const read = files.filter(({ kind, problem }) => kind === 'collection' && problem === null);
  const edges = read.flatMap(({ id, members }) => members.map((member, position) => ({ id, member, position })));
  await manager.query(
    `DELETE FROM workshop_memberships edge USING workshop_items item
     WHERE edge.collection_id = item.id AND item.overlay_id = $1 AND item.published_file_id = ANY ($2)`,
    [overlayId, read.map(({ id }) => id)],
  );
  await manager.query(
    `INSERT INTO workshop_memberships (collection_id, member_id, position)
     SELECT collection.id, member.id, min(edge.position)
       FROM jsonb_to_recordset($2) AS edge (id text, member text, position integer)
       JOIN workshop_items collection ON collection.overlay_id = $1 AND collection.published_file_id = edge.id
       JOIN workshop_items member ON member.overlay_id = $1 AND member.published_file_id = edge.member
     GROUP BY collection.id, member.id`,
    [overlayId, JSON.stringify(edges)],
  );
}

/** There is something to build. @returns false when the overlay is gone */
export async function markChanged(overlayId: number, manager: EntityManager): Promise<boolean> {
  // The database's clock, as for the builds it is compared with.
  const [, count] = await manager.query<[unknown, number]>(
    `UPDATE overlays SET draft_changed_at = clock_timestamp() WHERE id = $1`,
    [overlayId],
  );
  return count > 0;
}

/** Removes what nobody added and no collection holds any more. */
export async function forgetUnreachable(overlayId: number, manager: EntityManager): Promise<void> {
  await manager.query(
    `WITH RECURSIVE reachable AS (
       SELECT id FROM workshop_items WHERE overlay_id = $1 AND listed
       UNION
       SELECT edge.member_id FROM workshop_memberships edge JOIN reachable ON reachable.id = edge.collection_id)
     DELETE FROM workshop_items WHERE overlay_id = $1 AND id NOT IN (SELECT id FROM reachable)`,
    [overlayId],
  );
}

/** What a build would take: the items and their versions. */
async function contentOf(overlayId: number, manager: EntityManager): Promise<string> {
  const [row] = await manager.query<{ content: string }[]>(
    `SELECT coalesce(string_agg(published_file_id || ' ' || version, ',' ORDER BY published_file_id), '') AS content
     FROM workshop_items WHERE overlay_id = $1 AND version IS NOT NULL AND problem IS NULL`,
    [overlayId],
  );
  return row?.content ?? '';
}
