import { NotSupported, type PublishResult, type Run } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { HostLibrary } from '../../hosts/host-library.js';
import type { OverlayKind } from '../../overlays/overlay-kind.js';
import { Overlay } from '../../overlays/overlay.entity.js';
import { RevisionCollection } from '../../overlays/revision-collection.js';
import { OverlayRevision } from '../../overlays/revision.entity.js';
import { Announcements } from '../../redis/announcements.js';
import { announceServersOf } from '../../servers/announce-servers.js';
import type { OperationHandler, RunningJob } from '../worker/operation-handler.js';

/** `build-overlay`: publishes the draft, or what is made for it, as a new revision. Failing or cancelled, the current revision stays current. */
@Injectable()
export class BuildOverlayHandler implements OperationHandler {
  readonly operations = ['build-overlay'] as const;
  readonly limitSeconds = 3600;

  constructor(
    private readonly library: HostLibrary,
    private readonly database: DataSource,
    private readonly announcements: Announcements,
    private readonly collection: RevisionCollection,
  ) {}

  async run(job: RunningJob, run: Run): Promise<void> {
    const overlayId = job.overlayId;
    if (overlayId === null) throw new Error('A build-overlay job needs its overlay.');
    const { kind } = await this.database.getRepository(Overlay).findOneByOrFail({ id: overlayId });
    const current = await this.database.getRepository(OverlayRevision).findOneBy({ overlayId, current: true });
    const [{ next } = { next: 1 }] = await this.database.query<{ next: number }[]>(
      `SELECT coalesce(max(number), 0) + 1 AS next FROM overlay_revisions WHERE overlay_id = $1`,
      [overlayId],
    );
    const host = await this.library.get();
    // A build that was interrupted after its rename has left a folder without a row: nothing can use it.
    await host.removeRevision(overlayId, next);
    const source = await this.prepare(kind);
    const previous = current ? { previous: current.number } : {};
    const result = await host.publish({ overlay: overlayId, revision: next, source, ...previous }, run);
    if (result.unchanged) {
      await run.output.write(
        'stdout',
        `Unchanged: the content equals revision ${current?.number}; nothing was published.`,
      );
      return;
    }
    // fault point: revision published
    await this.record(job.id, overlayId, next, result);
    // fault point: revision recorded
    await announceServersOf({ overlayId }, this.database, this.announcements);
    await run.output.write('stdout', `Revision ${next} is published: ${result.files} files, ${result.bytes} bytes.`);
    await this.collection.collect(overlayId, next, host, run);
  }

  /** Makes what there is to publish, where it is not the draft. */
  private prepare(kind: OverlayKind): Promise<'draft' | 'build'> {
    switch (kind) {
      case 'files':
        return Promise.resolve('draft');
      case 'workshop':
      case 'script':
        throw new NotSupported(`overlays of the kind ${kind} cannot be built yet`);
    }
  }

  private async record(jobId: number, overlayId: number, number: number, result: PublishResult): Promise<void> {
    const { files, bytes, hash } = result;
    await this.database.transaction(async (manager) => {
      await manager.update(OverlayRevision, { overlayId, current: true }, { current: false, returnedAt: null });
      const about = { files, bytes: String(bytes), contentHash: hash };
      await manager.insert(OverlayRevision, { overlayId, number, jobId, current: true, ...about });
    });
  }
}
