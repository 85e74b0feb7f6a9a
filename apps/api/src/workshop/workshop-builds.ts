import {
  type Host,
  type LinkedFile,
  type Run,
  type WantedItem,
  WorkshopFailed,
  type WorkshopFile,
} from '@left4me/host';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Overlay } from '../overlays/overlay.entity.js';
import { type TakenItem, WorkshopRecords } from './workshop-records.js';

/** How many are named in a sentence; the log names all. */
const NAMED = 5;

/** What a build publishes of the Workshop. */
export interface PreparedItems {
  linked: LinkedFile[];
  /** To be called in the transaction that makes the revision current, or for the current one when nothing changed. */
  record: (revisionId: number, manager: EntityManager) => Promise<void>;
}

/** Gets what a Workshop overlay's build publishes: what Steam has now, from the cache or downloaded. */
@Injectable()
export class WorkshopBuilds {
  constructor(private readonly records: WorkshopRecords) {}

  /**
   * Throws `WorkshopFailed` for items that cannot be had, unless the overlay says that they are skipped; what Steam may give a minute later
   * is never skipped, or a busy Steam would take maps from servers.
   */
  async prepare(overlay: Overlay, host: Host, run: Run): Promise<PreparedItems> {
    const files = await host.workshop.lookUp(await this.records.listed(overlay.id), run);
    await this.records.save(overlay.id, files, { mark: false });
    const later = files.filter(({ temporary }) => temporary);
    if (later.length > 0)
      throw new WorkshopFailed(`Steam has no answer for now for ${told(later)}: build again later.`);
    await this.report(overlay, files.filter(isProblem), run);
    const wanted = toWanted(files, await this.records.fileNames(overlay.id));
    refuseSameNames(wanted);
    const { files: linked, unavailable } = await host.workshop.fetch(wanted, run);
    await this.records.saveFileProblems(overlay.id, unavailable);
    await collect(host, run);
    const titles = new Map(files.map(({ id, title }) => [id, title]));
    await this.report(
      overlay,
      unavailable.map((item) => ({ ...item, title: titles.get(item.id) ?? null })),
      run,
    );
    const lost = new Set(unavailable.map(({ id }) => id));
    const taken: TakenItem[] = wanted.filter(({ id }) => !lost.has(id));
    return { linked, record: (revisionId, manager) => this.records.saveRevision(revisionId, taken, manager) };
  }

  /** Names what cannot be had. Throws `WorkshopFailed` unless the overlay skips it. */
  private async report(overlay: Overlay, problems: readonly Problem[], { output }: Run): Promise<void> {
    for (const { id, title, problem } of problems) {
      await output.write('stderr', `${nameOf({ id, title })} cannot be had: ${problem}.`);
    }
    if (problems.length === 0) return;
    if (overlay.missingItems === 'fail') {
      throw new WorkshopFailed(
        `These cannot be had: ${told(problems)}. Remove them, or let builds of this overlay skip what cannot be had.`,
      );
    }
    await output.write('stdout', `Left out: ${told(problems)}.`);
  }
}

/** What is left of old builds is the next build's business, too: it never fails this one. */
async function collect(host: Host, run: Run): Promise<void> {
  try {
    await host.workshop.collect(run);
  } catch (error) {
    await run.output.write('stderr', `Old downloads could not be removed: ${String(error)}`);
  }
}

interface Problem {
  id: string;
  title: string | null;
  problem: string;
}

function isProblem(file: WorkshopFile): file is WorkshopFile & Problem {
  return file.problem !== null;
}

function toWanted(files: readonly WorkshopFile[], names: ReadonlyMap<string, string>): WantedItem[] {
  return files.flatMap(({ id, title, version, bytes, fileUrl, problem }) => {
    if (problem !== null || version === null || bytes === null || fileUrl === null) return [];
    return [{ id, title, version, bytes, fileUrl, fileName: names.get(id) ?? `${id}.vpk` }];
  });
}

/** Two items cannot be one file. An own name may be what a collection's new member is called by itself. */
function refuseSameNames(wanted: readonly WantedItem[]): void {
  const byName = new Map<string, WantedItem>();
  for (const item of wanted) {
    const other = byName.get(item.fileName);
    if (other) {
      throw new WorkshopFailed(
        `${nameOf(other)} and ${nameOf(item)} would both be ${item.fileName}: give one another name.`,
      );
    }
    byName.set(item.fileName, item);
  }
}

function told(items: readonly { id: string; title: string | null }[]): string {
  const rest = items.length > NAMED ? ` and ${items.length - NAMED} more` : '';
  return items.slice(0, NAMED).map(nameOf).join(', ') + rest;
}

function nameOf({ id, title }: { id: string; title: string | null }): string {
  return title === null ? id : `${title} (${id})`;
}
