import { relative } from 'node:path';
import type { InstanceFolder } from '../instances/instance-folder.js';
import { type Manifest, readManifest, stampOf } from '../launcher/copy-manifest.js';
import { NotFound } from '../errors.js';
import { hasCode } from '../overlay/durable.js';
import type { LayerName } from './layer.js';
import { LayeredTree } from './layered-tree.js';
import type { FolderPage, LayeredEntry, LeftOut, MergedTree, OpenedFile, PageRequest } from './merged-tree.js';
import { OwnFolders } from './own-folders.js';
import type { ServerLayers } from './server-layers.js';
import { timeLimit } from '../process/time-limit.js';

const OWN: LayerName = { kind: 'own', of: null };
/** Of the folders of one page together: the game has some thousand files. */
const LONGEST_LOOK_MS = 2_000;

/**
 * The tree of a server whose layers were copied, because the machine forbids user namespaces: all in one folder, whose manifest tells
 * what was copied from where. What it does not tell, or what was changed since, is the server's own.
 */
export class CopiedTree implements MergedTree {
  private readonly copy: LayeredTree;
  private readonly folders: OwnFolders;
  private readonly shipped: LayeredTree;

  constructor(
    private readonly root: string,
    private readonly folder: InstanceFolder,
    layers: ServerLayers,
  ) {
    const layer = { ...OWN, folder: folder.copy() };
    this.copy = new LayeredTree([layer]);
    this.folders = new OwnFolders(layer);
    this.shipped = new LayeredTree(layers.shipped, layers.hide);
  }

  async list(path: string, request: PageRequest): Promise<FolderPage> {
    const page = await this.copy.list(path, request);
    const manifest = await readManifest(this.folder);
    const names = page.items.map(({ name }) => name);
    const shipped = await this.shipped.entries(path, names);
    const end = performance.now() + LONGEST_LOOK_MS;
    const items: LayeredEntry[] = [];
    for (const item of page.items) {
      // Half of what is left: a large folder leaves those behind it some.
      const lookMs = (end - performance.now()) / 2;
      items.push(await this.overShipped(item, manifest, lookMs, shipped.get(item.name)));
    }
    return { ...page, items };
  }

  async entry(path: string): Promise<LayeredEntry | null> {
    const item = await this.copy.entry(path);
    if (item === null) return null;
    const [manifest, shipped] = [await readManifest(this.folder), await this.shipped.entry(path)];
    return this.overShipped(item, manifest, LONGEST_LOOK_MS, shipped ?? undefined);
  }

  async open(path: string): Promise<OpenedFile> {
    const opened = await this.copy.open(path);
    const origin = (await readManifest(this.folder)).entries[path];
    const { ino, size, mtimeNs } = await opened.file.stat({ bigint: true });
    const copied = origin?.stamp === `${ino}:${size}:${mtimeNs}`;
    return { ...opened, layer: (copied && this.layerOfOrigin(origin.origin)) || OWN };
  }

  async *walk(path: string, signal?: AbortSignal): AsyncGenerator<LayeredEntry | LeftOut> {
    const manifest = await readManifest(this.folder);
    for await (const entry of this.copy.walk(path, signal)) {
      yield 'why' in entry ? entry : { ...entry, layer: await this.layerOf(entry, manifest) };
    }
  }

  private async overShipped(
    item: LayeredEntry,
    manifest: Manifest,
    lookMs: number,
    shipped?: LayeredEntry,
  ): Promise<LayeredEntry> {
    const found = await this.layerOf(item, manifest, shipped);
    const folderOfLayers = item.type === 'directory' && found.kind !== 'own';
    const layer = folderOfLayers && (await this.hasOwnBelow(item.path, manifest, lookMs)) ? OWN : found;
    const together = item.type === 'directory' && shipped?.type === 'directory';
    const merged = together && (layer.kind === 'own' || shipped.merged);
    return { ...item, layer, hides: hiddenBy(item, layer, shipped), merged };
  }

  /** @param shipped what the layers have there, where it is known */
  private async layerOf(entry: LayeredEntry, manifest: Manifest, shipped?: LayeredEntry): Promise<LayerName> {
    const copied = manifest.entries[entry.path];
    if (copied === undefined || copied.stamp === null) return OWN;
    // Folders have no origin; a walk is about files.
    if (entry.type === 'directory') return shipped?.type === 'directory' ? shipped.layer : OWN;
    const stamp = await this.stampOf(entry);
    return (stamp === copied.stamp && this.layerOfOrigin(copied.origin)) || OWN;
  }

  /** As `upper` would have the folder then. Where it takes too long to find out, there may be something. */
  private async hasOwnBelow(path: string, { entries }: Manifest, lookMs: number): Promise<boolean> {
    const limit = timeLimit(lookMs);
    try {
      for await (const entry of this.copy.walk(path, limit)) {
        if ('why' in entry || !isCopied(entry, entries[entry.path]?.stamp)) return true;
      }
      return false;
    } catch (error) {
      if (!limit.aborted && !(error instanceof NotFound)) throw error;
      return limit.aborted;
    }
  }

  private async stampOf({ path, name }: LayeredEntry): Promise<string | null> {
    const folder = await this.folders.open(path.split('/').slice(0, -1));
    if (folder === null) return null;
    try {
      return await stampOf(folder.at(name));
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return null;
      throw error;
    } finally {
      await folder.close();
    }
  }

  /** What composeCopy calls an entry's origin: `<absolute path>:<version>`. */
  private layerOfOrigin(origin: string): LayerName | null {
    const [top, first, second, third] = relative(this.root, origin).split('/');
    if (top === 'overlays') return { kind: 'overlay', of: `${first}/${second}` };
    if (top === 'installation') return { kind: 'game', of: first ?? null };
    return top === 'instances' && third !== undefined ? { kind: 'generated', of: null } : null;
  }
}

/** By what a walk tells of it; a server that writes a file makes it younger than the copy. */
function isCopied({ type, size, modifiedAt }: LayeredEntry, stamp: string | null | undefined): boolean {
  if (type === 'directory') return stamp === 'directory';
  const [, copiedSize, copiedAt] = stamp?.split(':') ?? [];
  const between = Number(copiedAt) / 1e6 - Date.parse(modifiedAt);
  return copiedSize === String(size) && Math.abs(between) <= 1; // one is rounded
}

function hiddenBy(entry: LayeredEntry, layer: LayerName, shipped: LayeredEntry | undefined): LayerName[] {
  if (shipped === undefined) return [];
  const merges = entry.type === 'directory' && shipped.type === 'directory';
  return layer.kind === 'own' && !merges ? [shipped.layer, ...shipped.hides] : shipped.hides;
}
