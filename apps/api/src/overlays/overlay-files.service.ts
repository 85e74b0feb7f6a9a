import type { MoveOptions, PutOptions, Unpacked, UnpackOptions, WrittenFile } from '@left4me/host';
import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Principal } from '../auth/access.js';
import { BodyTooLarge, Conflict, NotFound } from '../problems/problems.js';
import { UserPlaces } from '../problems/user-places.js';
import { Announcements } from '../redis/announcements.js';
import { DraftLeases } from './draft-leases.js';
import { Overlay } from './overlay.entity.js';
import { Overlays } from './overlays.service.js';
import { onTree, type OverlayTree, OverlayTrees } from './overlay-trees.js';

/** Bytes of one uploaded file. */
export const FILE_LIMIT = 2 * 1024 ** 3;

/** Bytes of an archive, packed. */
export const ARCHIVE_LIMIT = 4 * 1024 ** 3;

/** Each may take 256 MiB of memory. */
const UNPACKINGS = 2;

/** Where an archive goes in a draft. */
export interface ArchivePlace {
  target: string;
  mode: 'replace' | 'merge';
}

/** A draft that may be changed. */
export interface Draft extends OverlayTree {
  overlay: Overlay;
}

/** The files of an overlay's draft, changed. */
@Injectable()
export class OverlayFiles {
  /** Bytes of one file; tests lower it. */
  limit = FILE_LIMIT;
  /** Tests wait less. */
  unpackings = new UserPlaces(UNPACKINGS, `unpacking ${UNPACKINGS} archives, or another one of yours`);

  constructor(
    private readonly database: DataSource,
    private readonly overlays: Overlays,
    private readonly trees: OverlayTrees,
    private readonly leases: DraftLeases,
    private readonly announcements: Announcements,
  ) {}

  /**
   * Writes one file of the draft, whole or not at all.
   * @param announced the length the sender gave, if it did
   * @param options what is to be replaced: whoever edits has seen that and nothing newer
   */
  async write(
    me: Principal,
    id: number,
    path: string,
    body: Readable,
    announced: number | null,
    options: Pick<PutOptions, 'ifMatch' | 'ifNone'> = {},
  ): Promise<WrittenFile> {
    const draft = await this.toWrite(me, id);
    if (announced !== null && announced > this.limit) {
      throw new BodyTooLarge(`${path} is larger than the limit of ${this.limit} bytes.`);
    }
    return this.changing(draft, path, (swap) =>
      draft.files.write(draft.tree, path, body, this.limit, { ...options, swap }),
    );
  }

  /** Unpacks an archive into the draft, whole or not at all. */
  async writeArchive(me: Principal, id: number, place: ArchivePlace, body: Readable, signal: AbortSignal) {
    const draft = await this.toWrite(me, id);
    const name = 'the archive';
    const archive = await onTree(name, () => this.trees.receive(body, ARCHIVE_LIMIT));
    try {
      return await this.unpack(me, draft, place, archive, { signal });
    } finally {
      await this.trees.discard(archive);
    }
  }

  /**
   * @param archive a file beside the drafts, which stays
   * @throws Unavailable when there was no place for long
   */
  async unpack(
    me: Principal,
    draft: Draft,
    place: ArchivePlace,
    archive: string,
    how: { signal: AbortSignal } & Pick<UnpackOptions, 'progress'>,
  ): Promise<Unpacked> {
    const work = (): Promise<Unpacked> =>
      this.changing(draft, place.target, (swap) => draft.files.unpack(draft.tree, archive, { ...place, ...how, swap }));
    return this.unpackings.hold(me.user.id, work, how.signal);
  }

  /** @throws Conflict when there is something with that name */
  async makeFolder(me: Principal, id: number, path: string): Promise<void> {
    const draft = await this.toWrite(me, id);
    await this.changing(draft, path, (swap) => draft.files.makeFolder(draft.tree, path, { swap }));
  }

  /** @throws Conflict naming what is in the way */
  async move(
    me: Principal,
    id: number,
    from: string,
    to: string,
    options: Pick<MoveOptions, 'replace' | 'merge'> = {},
  ): Promise<void> {
    const draft = await this.toWrite(me, id);
    await this.changing(draft, from, (swap) => draft.files.move(draft.tree, from, to, { ...options, swap }));
  }

  /** Removes a file, or a folder with all it holds, from the draft. */
  async remove(me: Principal, id: number, path: string): Promise<void> {
    const draft = await this.toWrite(me, id);
    await this.changing(draft, path, (swap) => draft.files.remove(draft.tree, path, { swap }));
  }

  /** The draft of an overlay that the caller may change; refused early while a build runs, and again at the moment of the change. */
  async toWrite(me: Principal, id: number): Promise<Draft> {
    const overlay = await this.overlays.getToChange(me, id);
    if (overlay.kind !== 'files') {
      throw new Conflict(`${overlay.name} is of the kind ${overlay.kind}: its files are made by its builds.`);
    }
    await this.leases.refuseWhileBuilding(overlay);
    return { overlay, ...this.trees.draft(id) };
  }

  /** Runs a change of a draft and tells everybody. */
  async changing<T>(
    { overlay, files, tree }: Draft,
    path: string,
    work: (swap: NonNullable<PutOptions['swap']>) => Promise<T>,
  ): Promise<T> {
    const done = await onTree(path, () => work((change, replacing) => this.leases.during(overlay, change, replacing)));
    if (!(await this.database.getRepository(Overlay).existsBy({ id: overlay.id }))) {
      // Deleted in the meantime; its files went before this came.
      await files.destroy(tree);
      throw new NotFound(`overlay ${overlay.id}`);
    }
    this.announcements.publish({ topic: 'overlay', id: overlay.id });
    return done;
  }
}
