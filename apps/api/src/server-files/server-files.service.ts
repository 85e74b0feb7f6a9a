import type { Readable } from 'node:stream';
import type { OwnSize, PageRequest } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import { DataSource, In } from 'typeorm';
import type { Principal } from '../auth/access.js';
import { RunningSettings } from '../config/settings.js';
import type { FolderPageQuery } from '../files/folder.dto.js';
import { HostRow } from '../hosts/host.entity.js';
import { Jobs } from '../jobs/jobs.service.js';
import { Overlay } from '../overlays/overlay.entity.js';
import { parseId } from '../problems/id.js';
import { Conflict } from '../problems/problems.js';
import { UserPlaces } from '../problems/user-places.js';
import type { Server } from '../servers/server.entity.js';
import { Servers } from '../servers/servers.service.js';
import type { FollowStep, PageAnswer } from './file-questions.js';
import type { ReplacedCopy } from './replaced-answers.js';
import type { ReplacedFileList } from './replaced-file.dto.js';
import { FollowedFiles } from './followed-files.js';
import { HOST_OF_FILES, ServerFileClient } from './server-file-client.js';
import type { LayerView, ServerFileList } from './server-file.dto.js';

/** Each walks a server's files for up to 10 s, in the process that runs the jobs. */
const COUNTED_AT_ONCE = 4;

type LayerAnswer = PageAnswer['items'][number]['layer'];

/** The files of servers, for whoever may see the server. They are read by the worker of its host. */
@Injectable()
export class ServerFilesOfUsers {
  private readonly followed = new FollowedFiles();
  private readonly counting = new UserPlaces(
    COUNTED_AT_ONCE,
    `counting the files of ${COUNTED_AT_ONCE} servers, or some for you`,
  );

  constructor(
    private readonly database: DataSource,
    private readonly settings: RunningSettings,
    private readonly servers: Servers,
    private readonly jobs: Jobs,
    private readonly client: ServerFileClient,
  ) {}

  async list(me: Principal, reference: string, query: FolderPageQuery): Promise<ServerFileList> {
    const { name } = await this.reachable(me, reference);
    const page = await this.client.list(name, query.path, query);
    const layerOf = await this.layersOf(me, page);
    const items = page.items.map((item) => ({ ...item, layer: layerOf(item.layer), hides: item.hides.map(layerOf) }));
    return { path: query.path, items, nextCursor: page.nextCursor, unreadableNames: page.unreadableNames };
  }

  /** What is read of the file is read later. */
  async open(me: Principal, reference: string, path: string) {
    const { name } = await this.reachable(me, reference);
    const about = await this.client.stat(name, path);
    return { ...about, read: (start: number, end: number) => this.client.content(name, path, start, end) };
  }

  async follow(
    me: Principal,
    reference: string,
    path: string,
    after: number | undefined,
    signal: AbortSignal,
  ): Promise<AsyncIterable<FollowStep>> {
    const { name } = await this.reachable(me, reference);
    this.followed.add(me.user.id, signal);
    return this.client.follow(name, path, after, signal);
  }

  /** A zip file, and what to call it. */
  async archive(me: Principal, reference: string, path: string): Promise<{ name: string; stream: Readable }> {
    const { name } = await this.reachable(me, reference);
    const folder = path.split('/').at(-1);
    return { name: `${[name, folder].filter(Boolean).join('-')}.zip`, stream: await this.client.archive(name, path) };
  }

  /** @param gone aborts when nobody waits for the answer any more */
  async ownSize(me: Principal, reference: string, path: string, gone: AbortSignal): Promise<OwnSize> {
    const { name } = await this.reachable(me, reference);
    return this.counting.hold(me.user.id, () => this.client.size(name, path, gone), gone);
  }

  /** What gave way to changed layers, with the jobs that did it. */
  async replaced(me: Principal, reference: string, query: PageRequest): Promise<ReplacedFileList> {
    const { name } = await this.reachable(me, reference);
    const { items, nextCursor } = await this.client.replaced(name, query);
    return { items: items.map((item) => ({ ...item, jobId: parseId(item.job) })), nextCursor };
  }

  async openReplaced(me: Principal, reference: string, copy: ReplacedCopy) {
    const { name } = await this.reachable(me, reference);
    const about = await this.client.statReplaced(name, copy);
    return { ...about, read: (start: number, end: number) => this.client.contentReplaced(name, copy, start, end) };
  }

  /** The worker looks again whether the server runs, under its lock. */
  async remove(me: Principal, reference: string, path: string): Promise<void> {
    const server = await this.reachable(me, reference);
    if (!(await this.jobs.isIdle({ serverId: server.id }, this.database.manager))) {
      throw new Conflict(`A job of ${server.name} waits or runs: its files can be deleted when that has ended.`);
    }
    if (['starting', 'running', 'stopping'].includes(server.actualState)) {
      throw new Conflict(`${server.name} is ${server.actualState}: its files can be deleted when it is stopped.`);
    }
    await this.client.remove(server.name, path);
  }

  /** @throws Conflict for a server of another machine */
  private async reachable(me: Principal, reference: string): Promise<Server> {
    const server = await this.servers.get(me, reference);
    const host = await this.database.getRepository(HostRow).findOneByOrFail({ id: server.hostId });
    if (host.name === HOST_OF_FILES && this.settings.host === HOST_OF_FILES) return server;
    throw new Conflict(
      `The files of ${server.name} are on the host ${host.name}: only those of servers on the host ${HOST_OF_FILES} can be seen here.`,
    );
  }

  private async layersOf(me: Principal, { items }: PageAnswer): Promise<(layer: LayerAnswer) => LayerView> {
    const ids = items.flatMap(({ layer, hides }) => [layer, ...hides].map((each) => partsOf(each).overlayId));
    const wanted = [...new Set(ids.filter((id) => id !== null))];
    const overlays = await this.database.getRepository(Overlay).findBy({ id: In(wanted) });
    const visible = overlays.filter(({ ownerId }) => me.admin || ownerId === null || ownerId === me.user.id);
    const names = new Map(visible.map(({ id, name }) => [id, name]));
    return (layer) => {
      const { overlayId, revision } = partsOf(layer);
      const overlayName = overlayId === null ? null : (names.get(overlayId) ?? null);
      return { kind: layer.kind, overlayId, overlayName, revision, build: layer.kind === 'game' ? layer.of : null };
    };
  }
}

/** Layers of overlays are called `<overlay>/<revision>`. */
function partsOf({ kind, of }: LayerAnswer): { overlayId: number | null; revision: number | null } {
  if (kind !== 'overlay' || of === null) return { overlayId: null, revision: null };
  const [overlay, revision] = of.split('/').map(Number);
  return { overlayId: overlay ?? null, revision: revision ?? null };
}
