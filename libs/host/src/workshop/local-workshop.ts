import type { Run } from '../host.js';
import { hasCode } from '../overlay/durable.js';
import type { CachedItem, DownloadCache } from './download-cache.js';
import { lookUp } from './look-up.js';
import type { SteamWebApi } from './steam-web-api.js';
import type { FetchedItems, WantedItem, Workshop, WorkshopFile } from './workshop.js';
import { ItemUnavailable, WorkshopFailed } from './workshop-errors.js';

/** Where the game looks for add-ons. */
const ADDONS = 'left4dead2/addons';
const UNUSED_MS = 30 * 24 * 3600_000;
/** Per job: what is left is for the next one. */
const COLLECTED_AT_ONCE = 200;

/** The Workshop, as this machine reaches it. */
export class LocalWorkshop implements Workshop {
  constructor(
    private readonly steam: SteamWebApi,
    private readonly cache: DownloadCache,
  ) {}

  async lookUp(ids: readonly string[], { signal, output }: Run): Promise<WorkshopFile[]> {
    output.progress(null, 'asking Steam');
    const files = await lookUp(ids, this.steam, signal);
    const collections = files.filter(({ kind }) => kind === 'collection').length;
    await output.write(
      'stdout',
      `${files.length - collections} items, of ${collections} collections and by themselves.`,
    );
    return files;
  }

  async fetch(items: readonly WantedItem[], run: Run): Promise<FetchedItems> {
    const cached = new Map<string, CachedItem>();
    for (const item of items) {
      const found = await this.cache.find(item);
      if (found) cached.set(item.id, found);
    }
    const missing = items.filter(({ id }) => !cached.has(id));
    const toLoad = await this.cache.missingBytes(missing);
    await run.output.write(
      'stdout',
      `${cached.size} of ${items.length} items are on this machine; ${missing.length} (${megabytes(toLoad)}) are downloaded. A build that is cut goes on there.`,
    );
    await this.cache.requireSpace(toLoad);
    const { loaded, unavailable } = await this.load(missing, run);
    const all = new Map([...cached, ...loaded]);
    const files = items.flatMap(({ id, fileName }) => {
      const file = all.get(id);
      return file ? [{ path: `${ADDONS}/${fileName}`, from: file.path, sha256: file.sha256 }] : [];
    });
    return { files, unavailable };
  }

  async collect({ output }: Run): Promise<void> {
    const removed = await this.cache.collect(Date.now() - UNUSED_MS, COLLECTED_AT_ONCE);
    if (removed.length === 0) return;
    await output.write('stdout', `Removed downloads that nothing uses any more: ${removed.join(', ')}.`);
  }

  /** The first failure that is not the item's own stops the others; what they have is continued by the next build. */
  private async load(items: readonly WantedItem[], run: Run) {
    const loaded = new Map<string, CachedItem>();
    const unavailable: { id: string; problem: string }[] = [];
    const progress = new Progress(items, run);
    const stop = new AbortController();
    const signal = AbortSignal.any([run.signal, stop.signal]);
    const failures: Error[] = [];
    const one = async (item: WantedItem): Promise<void> => {
      try {
        loaded.set(item.id, await this.cache.get(item, signal, (bytes) => progress.at(item, bytes)));
        await run.output.write('stdout', `Downloaded ${nameOf(item)}, ${megabytes(item.bytes)}.`);
      } catch (error) {
        if (error instanceof ItemUnavailable) unavailable.push({ id: item.id, problem: error.problem });
        else if (!stop.signal.aborted) {
          failures.push(failureOf(item, error));
          stop.abort();
        }
      }
      progress.end(item);
    };
    await Promise.all(items.map(one));
    for (const failure of failures) throw failure;
    return { loaded, unavailable };
  }
}

/** "3 of 12 items", and the bytes of all in percent. */
class Progress {
  private readonly bytes = new Map<string, number>();
  private readonly total: number;
  private sum = 0;
  private ended = 0;

  constructor(
    private readonly items: readonly WantedItem[],
    private readonly run: Run,
  ) {
    this.total = items.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  at({ id }: WantedItem, bytes: number): void {
    this.sum += bytes - (this.bytes.get(id) ?? 0);
    this.bytes.set(id, bytes);
    this.run.output.progress((this.sum / this.total) * 100, `${this.ended} of ${this.items.length} items`);
  }

  end(item: WantedItem): void {
    this.ended++;
    this.at(item, item.bytes);
  }
}

function failureOf(item: WantedItem, error: unknown): Error {
  if (hasCode(error, 'ENOSPC', 'EDQUOT')) return new WorkshopFailed('The disk is full.', { cause: error });
  if (!(error instanceof WorkshopFailed)) return error instanceof Error ? error : new Error(String(error));
  return new WorkshopFailed(`${nameOf(item)}: ${error.message}`, { cause: error });
}

/** As people know it, and as Steam does. */
function nameOf({ title, id }: WantedItem): string {
  return title === null ? id : `${title} (${id})`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
