import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openHost } from '@left4me/host';
import { RunningSettings } from '../../src/config/settings.js';
import { JobEnds } from '../../src/jobs/job-ends.js';
import type { JobRequest } from '../../src/jobs/job-request.js';
import { Job, type ServerOperation } from '../../src/jobs/job.entity.js';
import { type Panel, startPanel } from '../panel.js';
import type { Place } from '../services.js';

const FILES = 1000;
const FILE_BYTES = 500_000;
const LIMIT_MS = 120_000;

/** A panel on this machine with the demo runtime, and an overlay of 500 MB in files of half a megabyte. */
export class OverlayPanel {
  private readonly servers: number[] = [];

  private constructor(
    private readonly panel: Panel,
    /** LEFT4ME_ROOT */
    readonly root: string,
    readonly overlayId: number,
  ) {}

  static async start(place: Place, folder: string): Promise<OverlayPanel> {
    const panel = await startPanel(place, folder, openHost);
    try {
      const { root } = panel.app.get(RunningSettings);
      const overlayId = await panel.post('/overlays', { name: 'large', catalog: true });
      const made = new OverlayPanel(panel, root, overlayId);
      await made.run({ operation: 'install', hostId: panel.hostId, build: null, userId: null });
      await fill(join(root, 'drafts', String(overlayId)));
      await made.run({ operation: 'build-overlay', overlayId, userId: null });
      return made;
    } catch (error) {
      await panel.close();
      throw error;
    }
  }

  /** The published tree. */
  get revision(): string {
    return join(this.root, 'overlays', String(this.overlayId), '1');
  }

  /** @returns the id of a new server on that blueprint */
  async server(name: string, blueprintId: number): Promise<number> {
    const id = await this.panel.post('/servers', { name, blueprintId });
    this.servers.push(id);
    return id;
  }

  blueprint(name: string, overlays: number[]): Promise<number> {
    return this.panel.post('/blueprints', { name, overlays: overlays.map((overlayId) => ({ overlayId })) });
  }

  /** @returns how long it took, in ms, from just before the job was queued to its end */
  async do(operation: ServerOperation, serverId: number): Promise<number> {
    return this.run({ operation, serverId, userId: null });
  }

  /** @returns how long it takes to copy the overlay, in ms; the disk need not have it by then */
  async copy(): Promise<number> {
    const target = join(this.root, 'copy-of-the-overlay');
    await mkdir(target);
    const from = performance.now();
    await cp(this.revision, target, { recursive: true });
    const took = performance.now() - from;
    await rm(target, { recursive: true });
    return took;
  }

  /** Removes the servers, and ends the panel. */
  async close(): Promise<void> {
    await Promise.all(this.servers.map((id) => this.do('delete', id)));
    await this.panel.close();
  }

  private async run(request: JobRequest): Promise<number> {
    const from = performance.now();
    const { id } = await this.panel.jobs.enqueue(request);
    await this.panel.app.get(JobEnds).wait(id, LIMIT_MS, new AbortController().signal);
    const took = performance.now() - from;
    const job = await this.panel.database.manager.findOneByOrFail(Job, { id });
    if (job.state !== 'succeeded') throw new Error(`${request.operation} did not succeed: ${job.error ?? job.state}`);
    return took;
  }
}

async function fill(draft: string): Promise<void> {
  const folder = join(draft, 'left4dead2', 'maps');
  await mkdir(folder, { recursive: true });
  const content = Buffer.alloc(FILE_BYTES);
  for (let n = 0; n < FILES; n += 1) await writeFile(join(folder, `${n}.bsp`), content.fill(n));
}
