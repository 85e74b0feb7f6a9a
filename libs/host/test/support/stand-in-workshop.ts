import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * What happens to one request for a file; each is used once, in order, then files are sent as they should be. A connection is cut once the
 * client has taken what was sent, which only the test can tell: the rest is lost with it.
 */
export type Mishap =
  | { cutAfter: number; onceTaken: () => Promise<unknown> }
  | { stallAfter: number }
  | { status: number }
  | { heldUntil: Promise<unknown> }
  | 'range ignored';

interface Published {
  id: string;
  title: string;
  content: Buffer | null;
  /** Of a collection. */
  members: string[] | null;
  timeUpdated: number;
  /** Instead of what Steam would answer. */
  fields: Record<string, unknown>;
  mishaps: Mishap[];
}

/**
 * Stands in for Steam's Web API and for the host of its files: takes the forms that Steam takes (at most 50 ids), answers in its shapes, sizes
 * as strings, and does what a test says goes wrong.
 */
export class StandInWorkshop {
  url = '';
  /** Ids of each call, by method. */
  readonly calls: { method: string; ids: string[] }[] = [];
  /** Requests for files: `<id>`, or `<id> from <byte>`. */
  readonly downloads: string[] = [];
  /** Statuses of the next calls of the Web API. */
  readonly failures: number[] = [];
  /** EResult values of an id's next answers. */
  readonly results = new Map<string, number[]>();
  readonly published = new Map<string, Published>();
  /** How many files are being sent, and how many were at once at most. */
  sending = 0;
  mostAtOnce = 0;
  private readonly server = createServer((request, response) => {
    this.handle(request, response).catch((error: unknown) =>
      response.destroy(error instanceof Error ? error : undefined),
    );
  });

  static async start(): Promise<StandInWorkshop> {
    const standIn = new StandInWorkshop();
    await new Promise<void>((resolve) => standIn.server.listen(0, '127.0.0.1', resolve));
    standIn.url = `http://127.0.0.1:${(standIn.server.address() as AddressInfo).port}`;
    return standIn;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  item(id: string, content: Buffer | string = vpk(`item ${id}`), fields: Record<string, unknown> = {}): Published {
    return this.publish({ id, title: `Item ${id}`, content: Buffer.from(content), members: null, fields });
  }

  collection(id: string, members: string[], fields: Record<string, unknown> = {}): Published {
    return this.publish({ id, title: `Collection ${id}`, content: null, members, fields });
  }

  private publish(about: Omit<Published, 'timeUpdated' | 'mishaps'>): Published {
    const timeUpdated = (this.published.get(about.id)?.timeUpdated ?? 1_700_000_000) + 1;
    const published = { ...about, timeUpdated, mishaps: [] };
    this.published.set(about.id, published);
    return published;
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', this.url);
    const file = /^\/ugc\/(\d+)$/.exec(pathname)?.[1];
    if (file !== undefined) return this.sendFile(file, request, response);
    const method = /^\/ISteamRemoteStorage\/(\w+)\/v1\/$/.exec(pathname)?.[1];
    const status = this.failures.shift();
    if (status !== undefined) return void response.writeHead(status).end('<html>busy</html>');
    const form = new URLSearchParams(await textOf(request));
    const counted = Number(form.get(method === 'GetCollectionDetails' ? 'collectioncount' : 'itemcount'));
    const ids = Array.from({ length: counted }, (_, index) => form.get(`publishedfileids[${index}]`) ?? '');
    const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded');
    if (request.method !== 'POST' || !isForm || counted < 1 || counted > 50 || ids.includes('')) {
      return void response.writeHead(400).end('<html>Bad Request</html>');
    }
    this.calls.push({ method: method ?? '', ids });
    const list = method === 'GetCollectionDetails' ? 'collectiondetails' : 'publishedfiledetails';
    const entries = ids.map((id) => (list === 'collectiondetails' ? this.inside(id) : this.details(id)));
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ response: { result: 1, resultcount: ids.length, [list]: entries } }));
  }

  private details(id: string): Record<string, unknown> {
    const published = this.published.get(id);
    const result = this.results.get(id)?.shift() ?? (published ? 1 : 9);
    if (!published || result !== 1) return { publishedfileid: id, result };
    const { title, content, members, timeUpdated, fields } = published;
    return {
      publishedfileid: id,
      result,
      creator: '76561197960287930',
      creator_app_id: members ? 766 : 550,
      consumer_app_id: 550,
      filename: content ? `myl4d2addons/${id}.vpk` : '',
      file_size: String(content?.length ?? 0),
      file_url: content ? `${this.url}/ugc/${id}` : '',
      hcontent_file: content ? `90000000000000${id}` : '0',
      preview_url: `https://images.steamusercontent.com/ugc/${id}/`,
      title,
      description: 'An add-on.',
      time_created: 1_600_000_000,
      time_updated: timeUpdated,
      visibility: 0,
      banned: 0,
      ban_reason: '',
      ...(members ? { file_type: 2 } : { file_type: 0 }),
      tags: [{ tag: 'Campaigns' }],
      ...fields,
    };
  }

  private inside(id: string): Record<string, unknown> {
    const members = this.published.get(id)?.members;
    if (!members) return { publishedfileid: id, result: 9 };
    const typeOf = (child: string): number => (this.published.get(child)?.members ? 2 : 0);
    const children = members.map((child, sortorder) => ({
      publishedfileid: child,
      sortorder,
      filetype: typeOf(child),
    }));
    return { publishedfileid: id, result: 1, children };
  }

  private async sendFile(id: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { content, mishaps } = this.published.get(id) ?? { content: null, mishaps: [] };
    if (!content) return void response.writeHead(404).end();
    const mishap = mishaps.shift();
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    this.downloads.push(from > 0 ? `${id} from ${from}` : id);
    if (typeof mishap === 'object' && 'status' in mishap) return void response.writeHead(mishap.status).end();
    const start = mishap === 'range ignored' ? 0 : from;
    const range = start > 0 ? { 'Content-Range': `bytes ${start}-${content.length - 1}/${content.length}` } : {};
    const body = content.subarray(start);
    response.writeHead(start > 0 ? 206 : 200, { 'Content-Length': body.length, ...range });
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.sending);
    response.on('close', () => this.sending--);
    if (typeof mishap === 'object' && 'heldUntil' in mishap) await mishap.heldUntil;
    else if (typeof mishap === 'object') {
      const sent = 'cutAfter' in mishap ? mishap.cutAfter : mishap.stallAfter;
      await new Promise((resolve) => response.write(body.subarray(0, sent), resolve));
      if (!('cutAfter' in mishap)) return;
      await mishap.onceTaken();
      response.destroy();
      return;
    }
    response.end(body);
  }
}

/** A small VPK, as the game can read it, with one file. */
export function vpk(text: string, size = 0): Buffer {
  const content = Buffer.concat([Buffer.from(text), Buffer.alloc(Math.max(0, size - text.length), text)]);
  const entry = Buffer.alloc(18);
  entry.writeUInt16LE(0x7fff, 6);
  entry.writeUInt32LE(content.length, 12);
  entry.writeUInt16LE(0xffff, 16);
  const tree = Buffer.concat([Buffer.from('txt\0missions\0about\0'), entry, Buffer.from('\0\0\0')]);
  const header = Buffer.alloc(12);
  header.writeUInt32LE(0x55aa1234, 0);
  header.writeUInt32LE(1, 4);
  header.writeUInt32LE(tree.length, 8);
  return Buffer.concat([header, tree, content]);
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
