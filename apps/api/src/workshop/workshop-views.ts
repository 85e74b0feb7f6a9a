import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { fileNameOf } from './file-name.js';
import { shownPreview } from './preview-hosts.js';
import type { ItemState, WorkshopItemView } from './workshop.dto.js';
import { WorkshopItem } from './workshop-item.entity.js';

/** What the current revision has of an item. */
interface Published {
  publishedFileId: string;
  version: string;
  fileName: string;
}

/** The items of an overlay as REST shows them. */
@Injectable()
export class WorkshopViews {
  constructor(private readonly database: DataSource) {}

  async render(overlayId: number): Promise<WorkshopItemView[]> {
    const [rows, edges, published] = await Promise.all([
      this.database.getRepository(WorkshopItem).find({ where: { overlayId }, order: { listed: 'DESC', id: 'ASC' } }),
      this.database.query<{ collectionId: number; member: string }[]>(
        `SELECT edge.collection_id AS "collectionId", member.published_file_id AS member
           FROM workshop_memberships edge JOIN workshop_items member ON member.id = edge.member_id
         WHERE member.overlay_id = $1 ORDER BY edge.position, edge.member_id`,
        [overlayId],
      ),
      this.database.query<Published[]>(
        `SELECT published_file_id AS "publishedFileId", version, file_name AS "fileName" FROM workshop_revision_items item
           JOIN overlay_revisions revision ON revision.id = item.revision_id
         WHERE revision.overlay_id = $1 AND revision.current`,
        [overlayId],
      ),
    ]);
    const members = new Map<number, string[]>();
    for (const { collectionId, member } of edges)
      members.set(collectionId, [...(members.get(collectionId) ?? []), member]);
    const current = new Map(published.map((item) => [item.publishedFileId, item]));
    return rows.map((row) => ({
      publishedFileId: row.publishedFileId,
      listed: row.listed,
      kind: row.kind,
      title: row.title,
      bytes: row.bytes === null ? null : Number(row.bytes),
      previewUrl: shownPreview(row.previewUrl),
      updatedAt: row.steamUpdatedAt?.toISOString() ?? null,
      fileName: row.fileName,
      state: stateOf(row, current.get(row.publishedFileId)),
      problem: row.problem ?? row.fileProblem,
      refreshedAt: row.refreshedAt?.toISOString() ?? null,
      members: members.get(row.id) ?? [],
    }));
  }
}

function stateOf(item: WorkshopItem, published: Published | undefined): ItemState {
  if (item.problem !== null || item.fileProblem !== null) return 'unavailable';
  if (item.refreshedAt === null) return 'unknown';
  if (item.kind === 'collection') return 'current';
  if (!published) return 'new';
  return published.version === item.version && published.fileName === fileNameOf(item) ? 'current' : 'outdated';
}
