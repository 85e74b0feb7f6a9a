import path from 'node:path';
import type { Readable } from 'node:stream';
import { ARCHIVE_LIMITS, removeAbandoned, UploadFile } from '@left4me/host';
import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource, type EntityManager, IsNull, LessThan } from 'typeorm';
import type { Principal } from '../auth/access.js';
import { RunningSettings } from '../config/settings.js';
import { BodyTooLarge, Conflict, Invalid, NotFound } from '../problems/problems.js';
import type { CreateUploadBody, UploadView } from './draft-upload.dto.js';
import { DraftUpload } from './draft-upload.entity.js';
import { NewestRequests } from './newest-requests.js';
import { FILE_LIMIT, OverlayFiles } from './overlay-files.service.js';
import { onTree, OverlayTrees } from './overlay-trees.js';
import { Overlays } from './overlays.service.js';

const KEPT_MS = 24 * 3600_000;
const SWEEP_MS = 3600_000;
/** Of one user, unfinished. */
const MAX_UPLOADS = 20;
const MAX_BYTES = 16 * 1024 ** 3;

/** Uploads in pieces, which go on where they broke off. The row decides what there is; a piece counts when it is in the file. */
@Injectable()
export class DraftUploads implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('DraftUploads');
  private readonly requests = new NewestRequests();
  /** By upload. Asked for again, it is the same. */
  private readonly finishing = new Map<number, Promise<UploadView>>();
  /** Files of the archives that are being unpacked, by upload. */
  private readonly unpacked = new Map<number, number>();
  private readonly closing = new AbortController();
  private sweeping: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: DataSource,
    private readonly overlays: Overlays,
    private readonly files: OverlayFiles,
    private readonly trees: OverlayTrees,
    private readonly settings: RunningSettings,
  ) {}

  onApplicationBootstrap(): void {
    if (!this.settings.apiEnabled || !this.trees.here) return;
    this.sweeping = setInterval(() => void this.sweep(), SWEEP_MS);
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.sweeping);
    this.closing.abort();
    await Promise.allSettled(this.finishing.values());
  }

  async create(me: Principal, overlayId: number, body: CreateUploadBody): Promise<UploadView> {
    const { path: file, archive, size } = body;
    if ((file === undefined) === (archive === undefined)) {
      throw new Invalid([{ path: 'path', message: 'give either path, for a file, or archive' }]);
    }
    if (file !== undefined && size > FILE_LIMIT) {
      throw new BodyTooLarge(`${file} is larger than the limit of ${FILE_LIMIT} bytes.`);
    }
    const { files, tree } = await this.files.toWrite(me, overlayId);
    // Before a body of any size is taken; and once more when it takes its place.
    if (file !== undefined) await onTree(file, () => files.checkPlace(tree, file, 'file'));
    if (archive !== undefined) {
      const { target } = archive;
      await onTree(target, () => files.checkPlace(tree, target, 'folder'), 'archive.target');
    }
    const row = await this.database.transaction((manager) => this.insert(manager, me, overlayId, body));
    await this.fileOf(row).create();
    return this.viewOf(row, 0);
  }

  /** One's own into an overlay, newest first. What was sent of one may be lost: then nothing has come. */
  async unfinished(me: Principal, overlayId: number): Promise<UploadView[]> {
    await this.overlays.get(me, overlayId);
    const rows = await this.database
      .getRepository(DraftUpload)
      .find({ where: { overlayId, userId: me.user.id, result: IsNull() }, order: { id: 'DESC' } });
    return Promise.all(rows.map(async (row) => this.lookAt(row, (await this.fileOf(row).size()) ?? 0)));
  }

  async get(me: Principal, id: number): Promise<UploadView> {
    const row = await this.own(me, id);
    return this.lookAt(row, await this.offsetOf(row));
  }

  /**
   * Ends an older request that is still sending a piece.
   * @throws Conflict naming the right offset when the piece does not follow what has come
   */
  async append(me: Principal, id: number, offset: number, body: Readable): Promise<UploadView> {
    await this.own(me, id);
    if (this.finishing.has(id)) throw new Conflict(`Upload ${id} is being finished.`);
    return this.requests.take(id, async (newer) => {
      const row = await this.own(me, id);
      if (row.result !== null) throw new Conflict(`Upload ${id} is finished.`);
      const known = await this.offsetOf(row);
      if (known !== offset) throw new Conflict(`Upload ${id} goes on at offset ${known}, not at ${offset}.`);
      const limits = { limitBytes: Number(row.size) - offset, reserveBytes: ARCHIVE_LIMITS.reserveBytes };
      await this.database.getRepository(DraftUpload).update(id, { touchedAt: new Date() });
      await onTree('what was sent', () => this.fileOf(row).append(offset, body, limits, newer));
      return this.viewOf(row, await this.offsetOf(row));
    });
  }

  /**
   * Puts what was uploaded into the draft, whether or not somebody waits for the answer: it may be asked for again, until it is there,
   * and a finished upload tells what it came to.
   */
  async finish(me: Principal, id: number): Promise<UploadView> {
    await this.own(me, id);
    const finishing =
      this.finishing.get(id) ??
      this.requests
        .take(id, (newer) => this.putIntoDraft(me, id, AbortSignal.any([newer, this.closing.signal])))
        .finally(() => this.finishing.delete(id));
    this.finishing.set(id, finishing);
    return finishing;
  }

  async remove(me: Principal, id: number): Promise<void> {
    const row = await this.own(me, id);
    await this.requests.take(id, async () => {
      await this.database.getRepository(DraftUpload).delete(id);
      await this.fileOf(row).remove();
    });
  }

  /** Rows and files that nobody has touched for a day. Files without a row go by their own age; what a draft is to be mended from stays. */
  async sweep(now = new Date()): Promise<void> {
    const before = new Date(now.getTime() - KEPT_MS);
    try {
      await this.database.getRepository(DraftUpload).delete({ touchedAt: LessThan(before) });
      const needed = await this.database.query<{ aside: string }[]>(
        `SELECT aside FROM draft_leases WHERE aside IS NOT NULL`,
      );
      await removeAbandoned(this.drafts, before, new Set(needed.map(({ aside }) => aside)));
    } catch (error) {
      this.logger.warn(`Abandoned uploads are still there: ${String(error)}`);
    }
  }

  private async putIntoDraft(me: Principal, id: number, signal: AbortSignal): Promise<UploadView> {
    const row = await this.own(me, id);
    if (row.result !== null) return this.viewOf(row, Number(row.size));
    const offset = await this.offsetOf(row);
    if (offset !== Number(row.size)) {
      throw new Conflict(`Of upload ${id}, ${offset} of ${row.size} bytes have come.`);
    }
    row.result = await this.place(me, row, signal);
    await this.database.getRepository(DraftUpload).update(id, { result: row.result });
    await this.fileOf(row).remove();
    return this.viewOf(row, offset);
  }

  private async place(me: Principal, row: DraftUpload, signal: AbortSignal): Promise<object> {
    const draft = await this.files.toWrite(me, row.overlayId);
    const { path: file, target, mode } = row;
    if (file === null) {
      if (target === null || mode === null) throw new Error(`upload ${row.id} goes nowhere`);
      const progress = (count: number): unknown => this.unpacked.set(row.id, count);
      try {
        return await this.files.unpack(me, draft, { target, mode }, this.fileOf(row).path, { signal, progress });
      } finally {
        this.unpacked.delete(row.id);
      }
    }
    const name = await this.fileOf(row).secondName();
    try {
      return await this.files.changing(draft, file, (swap) => draft.files.put(draft.tree, file, name, { swap }));
    } finally {
      await this.trees.discard(name);
    }
  }

  private async own(me: Principal, id: number): Promise<DraftUpload> {
    const row = await this.database.getRepository(DraftUpload).findOneBy({ id, userId: me.user.id });
    if (!row) throw new NotFound(`upload ${id}`);
    return row;
  }

  private async insert(
    manager: EntityManager,
    me: Principal,
    overlayId: number,
    { path: file, archive, source, size }: CreateUploadBody,
  ): Promise<DraftUpload> {
    // One after the other: two that begin at the same time would not count each other.
    await manager.query(`SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE`, [me.user.id]);
    await this.refuseTooMany(manager, me, size);
    const uploads = manager.getRepository(DraftUpload);
    const row = uploads.create({
      overlayId,
      userId: me.user.id,
      path: file ?? null,
      target: archive?.target ?? null,
      mode: archive?.mode ?? null,
      source: source ?? null,
      size: String(size),
      result: null,
    });
    await uploads.insert(row);
    return row;
  }

  private async refuseTooMany(manager: EntityManager, me: Principal, size: number): Promise<void> {
    const open = await manager
      .getRepository(DraftUpload)
      .find({ select: { size: true }, where: { userId: me.user.id, result: IsNull() } });
    const bytes = open.reduce((sum, upload) => sum + Number(upload.size), size);
    if (open.length < MAX_UPLOADS && bytes <= MAX_BYTES) return;
    throw new Conflict(
      `You have ${open.length} unfinished uploads: finish or delete some. At most ${MAX_UPLOADS}, of ${MAX_BYTES} bytes in all, are kept, each for a day.`,
    );
  }

  private async offsetOf(row: DraftUpload): Promise<number> {
    if (row.result !== null) return Number(row.size);
    const size = await this.fileOf(row).size();
    if (size === null) throw new Conflict(`What was sent of upload ${row.id} is lost: delete it and begin anew.`);
    return size;
  }

  private fileOf({ id }: DraftUpload): UploadFile {
    return new UploadFile(this.drafts, id);
  }

  private get drafts(): string {
    return path.join(this.settings.root, 'drafts');
  }

  /** For who only looks: the answer to who is at it says that nobody is any more. */
  private lookAt(row: DraftUpload, offset: number): UploadView {
    return this.viewOf(row, offset, this.requests.has(row.id));
  }

  private viewOf(row: DraftUpload, offset: number, active = false): UploadView {
    const { id, overlayId, path: file, target, mode, source, result } = row;
    return {
      id,
      overlayId,
      path: file,
      archive: target === null || mode === null ? null : { target, mode },
      source,
      size: Number(row.size),
      offset,
      unpackedFiles: this.unpacked.get(id) ?? null,
      active,
      finished: result !== null,
      result,
    };
  }
}
