import { Readable } from 'node:stream';
import type { FolderPage, MergedTree, OpenedFile, PageRequest } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Principal } from '../auth/access.js';
import { folderZip } from '../downloads/folder-zip.js';
import type { FileToSend } from '../downloads/send.js';
import { NotFound } from '../problems/problems.js';
import { Overlays } from './overlays.service.js';
import { onTree, OverlayTrees } from './overlay-trees.js';
import { OverlayRevision } from './revision.entity.js';

/** Reads an overlay's draft, or one of its revisions. */
@Injectable()
export class OverlayReading {
  constructor(
    private readonly database: DataSource,
    private readonly overlays: Overlays,
    private readonly trees: OverlayTrees,
  ) {}

  async list(
    me: Principal,
    id: number,
    revision: number | undefined,
    path: string,
    page: PageRequest,
  ): Promise<FolderPage> {
    const { tree } = await this.tree(me, id, revision);
    return onTree(path, () => tree.list(path, page));
  }

  /** What is read of the file is read later; `close` lets it go. */
  async open(
    me: Principal,
    id: number,
    revision: number | undefined,
    path: string,
  ): Promise<FileToSend & { close(): Promise<void> }> {
    const { tree } = await this.tree(me, id, revision);
    const { file, size, modifiedAt, etag } = await onTree(path, () => tree.open(path));
    return {
      size,
      modifiedAt,
      etag,
      read: async (start, end) => file.createReadStream({ start, end, autoClose: false }),
      close: () => file.close(),
    };
  }

  /** A zip file, and what to call it. */
  async archive(me: Principal, id: number, revision: number | undefined, path: string) {
    const { tree, name } = await this.tree(me, id, revision);
    // An archive that has begun cannot tell that there is no such folder.
    await onTree(path, () => tree.list(path, { limit: 1 }));
    const folder = path.split('/').at(-1);
    return {
      name: `${[name, revision, folder].filter(Boolean).join('-')}.zip`,
      stream: folderZip({ path, entries: tree.walk(path), open: (file) => tree.open(file), content: whole }),
    };
  }

  private async tree(
    me: Principal,
    id: number,
    revision: number | undefined,
  ): Promise<{ tree: MergedTree; name: string }> {
    const { name } = await this.overlays.get(me, id);
    if (revision === undefined) return { tree: this.trees.toRead(id, null), name };
    const known = await this.database.getRepository(OverlayRevision).existsBy({ overlayId: id, number: revision });
    if (!known) throw new NotFound(`revision ${revision} of overlay ${id}`);
    return { tree: this.trees.toRead(id, revision), name };
  }
}

/** What a file had when it was opened, or less. */
function whole({ file, size }: OpenedFile): Readable {
  if (size > 0) return file.createReadStream({ start: 0, end: size - 1 });
  const nothing = Readable.from([]);
  nothing.once('close', () => void file.close());
  return nothing;
}
