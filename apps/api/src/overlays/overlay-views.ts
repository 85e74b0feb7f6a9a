import { Injectable } from '@nestjs/common';
import { DataSource, In } from 'typeorm';
import { User } from '../users/user.entity.js';
import { DraftSummaries } from './draft-summaries.js';
import type { OverlayView, RevisionView } from './overlay.dto.js';
import type { Overlay } from './overlay.entity.js';
import { OverlayRevision } from './revision.entity.js';

/** Overlays as REST and the live gateway show them, many at once with a fixed number of queries. */
@Injectable()
export class OverlayViews {
  constructor(
    private readonly database: DataSource,
    private readonly summaries: DraftSummaries,
  ) {}

  /**
   * In the order given; needs no relations loaded. Whether somebody may see them is the caller's business.
   * @param gone aborts when nobody waits for them any more
   */
  async render(overlays: readonly Overlay[], gone?: AbortSignal): Promise<OverlayView[]> {
    if (overlays.length === 0) return [];
    const ids = overlays.map(({ id }) => id);
    const ownerIds = overlays.flatMap(({ ownerId }) => (ownerId === null ? [] : [ownerId]));
    const [owners, revisions, built, drafts] = await Promise.all([
      this.database.getRepository(User).find({ select: { id: true, name: true }, where: { id: In(ownerIds) } }),
      this.database.getRepository(OverlayRevision).findBy({ overlayId: In(ids), current: true }),
      this.lastBuilt(ids),
      this.summaries.of(overlays, gone),
    ]);
    const ownerNames = new Map(owners.map(({ id, name }) => [id, name]));
    const userNames = await userNamesOf(this.database, revisions);
    const current = new Map(revisions.map((revision) => [revision.overlayId, revision]));
    return overlays.map((overlay) => {
      const { id, ownerId, draftChangedAt } = overlay;
      const revision = current.get(id);
      const builtAt = built.get(id);
      const draft = drafts.get(id);
      return {
        id,
        name: overlay.name,
        description: overlay.description,
        kind: overlay.kind,
        catalog: ownerId === null,
        ownerId,
        ownerName: ownerId === null ? null : (ownerNames.get(ownerId) ?? null),
        missingItems: overlay.kind === 'workshop' ? overlay.missingItems : null,
        draft: {
          files: draft === null ? null : (draft?.files ?? 0),
          bytes: draft === null ? null : (draft?.bytes ?? 0),
          modifiedAt: draftChangedAt?.toISOString() ?? null,
          changed: draftChangedAt !== null && isBehind(builtAt, draftChangedAt, revision?.returnedAt ?? null),
        },
        currentRevision: revision ? revisionView(revision, userNames) : null,
        createdAt: overlay.createdAt.toISOString(),
        updatedAt: overlay.updatedAt.toISOString(),
      };
    });
  }

  /**
   * When the last successful build of each overlay began: what was written to the draft since then may not be published. The
   * revision's own time would not do, since a build of an unchanged draft publishes none.
   */
  private async lastBuilt(ids: readonly number[]): Promise<Map<number, Date>> {
    const rows = await this.database.query<{ overlayId: number; startedAt: Date }[]>(
      `SELECT overlay_id AS "overlayId", max(started_at) AS "startedAt" FROM jobs
       WHERE overlay_id = ANY ($1) AND operation = 'build-overlay' AND state = 'succeeded' GROUP BY overlay_id`,
      [ids],
    );
    return new Map(rows.map(({ overlayId, startedAt }) => [overlayId, startedAt]));
  }
}

/** Whether the last build came before the last edit, or before somebody went back to what is not the draft. */
function isBehind(builtAt: Date | undefined, draftChangedAt: Date, returnedAt: Date | null): boolean {
  return builtAt === undefined || builtAt < draftChangedAt || (returnedAt !== null && builtAt < returnedAt);
}

/** Who queued the builds of revisions, by job id. */
export async function userNamesOf(
  database: DataSource,
  revisions: readonly Pick<OverlayRevision, 'jobId'>[],
): Promise<Map<number, string>> {
  const jobIds = revisions.flatMap(({ jobId }) => (jobId === null ? [] : [jobId]));
  if (jobIds.length === 0) return new Map();
  const rows = await database.query<{ jobId: number; name: string }[]>(
    `SELECT jobs.id AS "jobId", users.name FROM jobs JOIN users ON users.id = jobs.user_id WHERE jobs.id = ANY ($1)`,
    [jobIds],
  );
  return new Map(rows.map(({ jobId, name }) => [jobId, name]));
}

/** @param userNames who queued its job, by job id */
export function revisionView(revision: OverlayRevision, userNames: ReadonlyMap<number, string>): RevisionView {
  const { jobId } = revision;
  return {
    id: revision.id,
    number: revision.number,
    jobId,
    userName: jobId === null ? null : (userNames.get(jobId) ?? null),
    files: revision.files,
    bytes: Number(revision.bytes),
    contentHash: revision.contentHash,
    createdAt: revision.createdAt.toISOString(),
    current: revision.current,
    returnedAt: revision.returnedAt?.toISOString() ?? null,
  };
}
