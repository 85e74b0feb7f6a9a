import { z } from 'zod';
import type { Job, Panel } from './panel.js';

const lines = z.object({ items: z.array(z.object({ line: z.string() })) });
const overlay = z.object({ currentRevision: z.object({ number: z.number() }).nullable() });

/** Builds of script overlays, over the REST API. */
export class ScriptBuilds {
  constructor(private readonly panel: Panel) {}

  async overlay(name: string, script: string): Promise<number> {
    const id = await this.panel.make('overlays', { name, kind: 'script' });
    await this.write(id, script);
    return id;
  }

  async write(id: number, script: string): Promise<void> {
    await this.panel.ask('PUT', `/overlays/${id}/script`, { script });
  }

  /** Queues a build; the job's id. */
  queue(id: number): Promise<number> {
    return this.panel.queue(`/overlays/${id}/builds`);
  }

  async build(id: number): Promise<Job & { log: string[] }> {
    const job = await this.panel.ended(await this.queue(id), 120);
    return { ...job, log: await this.log(job.id) };
  }

  async log(job: number): Promise<string[]> {
    return lines.parse(await this.panel.ask('GET', `/jobs/${job}/logs?limit=2000`)).items.map(({ line }) => line);
  }

  /** The number of the revision that servers are given. */
  async current(id: number): Promise<number | null> {
    return overlay.parse(await this.panel.ask('GET', `/overlays/${id}`)).currentRevision?.number ?? null;
  }
}
