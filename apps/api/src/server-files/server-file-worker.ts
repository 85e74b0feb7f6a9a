import { createServer, type IncomingMessage, type Server as HttpServer, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { HostError, type PageRequest, type ShippedBy } from '@left4me/host';
import { Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { RunningSettings } from '../config/settings.js';
import { HostLibrary } from '../hosts/host-library.js';
import { ServerMasks } from '../secrets/server-masks.js';
import { Server } from '../servers/server.entity.js';
import { archiveOf, contentOf, type KnownServer, linesOf, statOf } from './file-answers.js';
import { type Question, questions } from './file-questions.js';
import { listenAtSocket } from './files-socket.js';
import { contentOfReplaced, statOfReplaced } from './replaced-answers.js';

/** The query of a question, checked. */
interface Asked {
  question: Question;
  server: string;
  path: string;
  page: PageRequest;
  number(name: string): number | null;
  text(name: string): string | null;
}

/**
 * Answers the API's questions about the files of this host's servers, which only the worker may read (docs/decisions/0103). Whoever may
 * ask is decided by the socket's permissions, what a user may see by the API; names and paths are checked by the host library again.
 */
@Injectable()
export class ServerFileWorker {
  private readonly logger = new Logger('ServerFiles');
  private server: HttpServer | null = null;

  constructor(
    private readonly settings: RunningSettings,
    private readonly library: HostLibrary,
    private readonly database: DataSource,
    private readonly masks: ServerMasks,
  ) {}

  async start(hostId: number): Promise<void> {
    // Downloads may be paused for as long as somebody likes.
    const server = createServer(
      { keepAlive: false },
      (request, response) => void this.answer(hostId, request, response),
    );
    this.server = server;
    await listenAtSocket(server, this.settings.root);
  }

  async stop(): Promise<void> {
    const { server } = this;
    if (server === null) return;
    this.server = null;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  private async answer(hostId: number, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    try {
      const asked = askedIn(request);
      if (asked === null) return void response.writeHead(404).end();
      const answer = await this.answerTo(hostId, asked, gone.signal);
      if (answer instanceof Readable) {
        response.writeHead(200, { 'Content-Type': 'application/octet-stream' });
        await pipeline(answer, response);
      } else {
        response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer ?? null));
      }
    } catch (error) {
      if (!gone.signal.aborted) this.refuse(response, error);
    }
  }

  /** Of a server without a record nobody knows what must not be seen. */
  private async serverOf(hostId: number, name: string): Promise<KnownServer> {
    const server = await this.database.getRepository(Server).findOneBy({ hostId, name });
    if (!server) throw new HostError('not-initialized', `${name} has no record`);
    return { name, secrets: () => this.masks.of(server.id) };
  }

  private async answerTo(hostId: number, asked: Asked, signal: AbortSignal): Promise<unknown> {
    const { files } = await this.library.get();
    if (asked.question === 'shipped') return files.isShipped(shippedBy(asked), asked.path);
    const server = await this.serverOf(hostId, asked.server);
    const { name } = server;
    switch (asked.question) {
      case 'list':
        return files.list(name, asked.path, asked.page);
      case 'stat':
        return statOf(files, name, asked.path);
      case 'content':
        return contentOf(files, server, asked.path, [asked.number('start') ?? 0, asked.number('end') ?? -1]);
      case 'archive':
        return archiveOf(files, server, asked.path, signal);
      case 'follow': {
        // What cannot be opened is refused before the answer begins.
        await statOf(files, name, asked.path);
        const steps = linesOf(files, server, asked.path, asked.number('after'), signal);
        return Readable.from(asLines(steps), { objectMode: false });
      }
      case 'size':
        return files.ownSize(name, asked.path, signal);
      case 'remove':
        return files.removeOwn(name, asked.path);
      case 'replaced':
        return files.replaced(name, asked.page);
      case 'replaced-stat':
        return statOfReplaced(files, name, { job: asked.text('job') ?? '', path: asked.path });
      case 'replaced-content': {
        const copy = { job: asked.text('job') ?? '', path: asked.path };
        return contentOfReplaced(files, server, copy, [asked.number('start') ?? 0, asked.number('end') ?? -1]);
      }
    }
  }

  private refuse(response: ServerResponse, error: unknown): void {
    if (response.headersSent) {
      // Cut, so that nobody takes it for the whole answer.
      response.destroy();
      this.logger.warn(error instanceof Error ? error.message : String(error));
      return;
    }
    const known = error instanceof HostError;
    if (!known) this.logger.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
    const body = known ? { code: error.code, message: error.message } : { code: 'failed', message: 'see the log' };
    response.writeHead(known ? 422 : 500, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
  }
}

function shippedBy(asked: Asked): ShippedBy {
  const overlays = asked.text('overlays') ?? '';
  return { overlays: overlays === '' ? [] : overlays.split(' '), build: asked.text('build') ?? '' };
}

async function* asLines(steps: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const step of steps) yield `${JSON.stringify(step)}\n`;
}

function askedIn({ url }: IncomingMessage): Asked | null {
  const { pathname, searchParams } = new URL(url ?? '/', 'http://worker');
  const question = questions.find((known) => pathname === `/${known}`);
  if (question === undefined) return null;
  const number = (name: string): number | null => {
    const value = searchParams.get(name);
    return value !== null && /^-?\d{1,16}$/.test(value) ? Number(value) : null;
  };
  return {
    question,
    server: searchParams.get('server') ?? '',
    path: searchParams.get('path') ?? '',
    page: { limit: number('limit') ?? 1, cursor: searchParams.get('cursor') ?? undefined },
    text: (name) => searchParams.get(name),
    number,
  };
}
