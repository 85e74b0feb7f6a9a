import { type Host, type PublishRequest, type PublishResult, type Run } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { HostLibrary } from '../../hosts/host-library.js';
import { DraftCheck } from '../../overlays/draft-check.js';
import { Overlay } from '../../overlays/overlay.entity.js';
import { RevisionCollection } from '../../overlays/revision-collection.js';
import { OverlayRevision } from '../../overlays/revision.entity.js';
import { Announcements } from '../../redis/announcements.js';
import { announceServersOf } from '../../servers/announce-servers.js';
import { WorkshopBuilds } from '../../workshop/workshop-builds.js';
import { ScriptRuns } from '../../scripts/script-runs.js';
import type { OperationHandler, RunningJob } from '../worker/operation-handler.js';

/** `build-overlay`: publishes the draft, or what is made for it, as a new revision. Failing or cancelled, the current revision stays current. */
@Injectable()
export class BuildOverlayHandler implements OperationHandler {
  readonly operations = ['build-overlay'] as const;
  /** A collection of the Workshop may be tens of GB on a slow line; scripts have a limit of their own. */
  readonly limitSeconds = 6 * 3600;

  constructor(
    private readonly library: HostLibrary,
    private readonly database: DataSource,
    private readonly drafts: DraftCheck,
    private readonly announcements: Announcements,
    private readonly collection: RevisionCollection,
    private readonly workshop: WorkshopBuilds,
    private readonly scripts: ScriptRuns,
  ) {}

  async run(job: RunningJob, run: Run): Promise<void> {
    const overlayId = job.overlayId;
    if (overlayId === null) throw new Error('A build-overlay job needs its overlay.');
    const overlay = await this.database.getRepository(Overlay).findOneByOrFail({ id: overlayId });
    const current = await this.database.getRepository(OverlayRevision).findOneBy({ overlayId, current: true });
    const [{ next } = { next: 1 }] = await this.database.query<{ next: number }[]>(
      `SELECT coalesce(max(number), 0) + 1 AS next FROM overlay_revisions WHERE overlay_id = $1`,
      [overlayId],
    );
    const host = await this.library.get();
    // A build that was interrupted after its rename has left a folder without a row: nothing can use it.
    await host.removeRevision(overlayId, next);
    const { result, record } = await this.publish(job, { overlay, next, current }, host, run);
    if (result.unchanged && current) {
      await this.database.transaction((manager) => record(current.id, manager));
      await run.output.write(
        'stdout',
        `Unchanged: the content equals revision ${current.number}; nothing was published.`,
      );
    } else {
      // fault point: revision published
      await this.record({ jobId: job.id, overlayId, number: next }, result, record);
      // fault point: revision recorded
      const say = (problem: string) => run.output.write('stderr', problem);
      await announceServersOf({ overlayId }, this.database, this.announcements, say);
      const files = result.files === 1 ? '1 file' : `${result.files} files`;
      await run.output.write('stdout', `Revision ${next} is published: ${files}, ${result.bytes} bytes.`);
    }
    // Also when nothing changed: servers have left older revisions since the last build.
    await this.collection.collect(overlayId, next, host, run);
  }

  private async publish(
    job: RunningJob,
    { overlay, next, current }: { overlay: Overlay; next: number; current: OverlayRevision | null },
    host: Host,
    run: Run,
  ): Promise<{ result: PublishResult; record: Prepared['record'] }> {
    try {
      const { source, record } = await this.prepare(job, overlay, host, run);
      const previous = current ? { previous: current.number } : {};
      const result = await host.publish({ overlay: overlay.id, revision: next, ...source, ...previous }, run);
      return { result, record };
    } finally {
      if (overlay.kind === 'script') await this.scripts.discard(overlay.id, host, run);
    }
  }

  /** Makes what there is to publish, where it is not the draft. */
  private async prepare({ hostId }: RunningJob, overlay: Overlay, host: Host, run: Run): Promise<Prepared> {
    switch (overlay.kind) {
      case 'files':
        await this.drafts.ready(overlay.id, run);
        return { source: { source: 'draft' }, record: () => Promise.resolve() };
      case 'workshop': {
        const { linked, record } = await this.workshop.prepare(overlay, host, run);
        return { source: { linked }, record };
      }
      case 'script':
        await this.scripts.run(overlay.id, hostId, host, run);
        await this.drafts.built(overlay.id, run);
        return { source: { source: 'build' }, record: () => Promise.resolve() };
    }
  }

  private async record(
    revision: { jobId: number; overlayId: number; number: number },
    { files, bytes, hash }: PublishResult,
    record: Prepared['record'],
  ): Promise<void> {
    const { overlayId } = revision;
    await this.database.transaction(async (manager) => {
      await manager.update(OverlayRevision, { overlayId, current: true }, { current: false, returnedAt: null });
      const about = { files, bytes: String(bytes), contentHash: hash };
      const { identifiers } = await manager.insert(OverlayRevision, { ...revision, current: true, ...about });
      await record(Number(identifiers[0]?.['id']), manager);
    });
  }
}

/** What is published, and what is to be recorded with the revision that holds it, in the same transaction. */
interface Prepared {
  source: Pick<PublishRequest, 'source' | 'linked'>;
  record: (revisionId: number, manager: EntityManager) => Promise<void>;
}
