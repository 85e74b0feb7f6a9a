import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import type { OwnSize, PageRequest, ShippedBy } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import { RunningSettings } from '../config/settings.js';
import { Conflict, Invalid, NotFound, Unavailable } from '../problems/problems.js';
import {
  followStep,
  type FollowStep,
  type PageAnswer,
  pageAnswer,
  type Question,
  refusal,
  type ReplacedAnswer,
  replacedAnswer,
  shippedAnswer,
  sizeAnswer,
  type StatAnswer,
  statAnswer,
} from './file-questions.js';
import { requestAtSocket } from './files-socket.js';
import type { ReplacedCopy } from './replaced-answers.js';

/** Whose worker this process can reach, for now. */
export const HOST_OF_FILES = 'local';

const WORKER_AWAY =
  "The host's worker is not running: it reads the files of servers. This works again when it has been started.";

/** Asks the worker of this machine about the files of its servers. Throws what the routes answer with. */
@Injectable()
export class ServerFileClient {
  constructor(private readonly settings: RunningSettings) {}

  async list(server: string, path: string, { limit, cursor }: PageRequest): Promise<PageAnswer> {
    return pageAnswer.parse(await json(await this.ask('list', server, path, { limit, cursor })));
  }

  async stat(server: string, path: string): Promise<StatAnswer> {
    return statAnswer.parse(await json(await this.ask('stat', server, path)));
  }

  /** @param end the last byte */
  content(server: string, path: string, start: number, end: number): Promise<Readable> {
    return this.ask('content', server, path, { start, end });
  }

  /** A zip file. */
  archive(server: string, path: string): Promise<Readable> {
    return this.ask('archive', server, path);
  }

  /** Whether the game or an overlay has something at a path, whichever servers there are. */
  async isShipped({ overlays, build }: ShippedBy, path: string, signal: AbortSignal): Promise<boolean> {
    const layers = { overlays: overlays.join(' '), build };
    return shippedAnswer.parse(await json(await this.ask('shipped', '', path, layers, signal)));
  }

  /** @throws Unavailable when the signal aborted: nobody is there any more to be told, and it is no error for the log */
  async size(server: string, path: string, signal: AbortSignal): Promise<OwnSize> {
    try {
      return sizeAnswer.parse(await json(await this.ask('size', server, path, {}, signal)));
    } catch (error) {
      if (signal.aborted) throw new Unavailable('Nobody waits for the answer any more.', { cause: error });
      throw error;
    }
  }

  async remove(server: string, path: string): Promise<void> {
    (await this.ask('remove', server, path)).resume();
  }

  async replaced(server: string, { limit, cursor }: PageRequest): Promise<ReplacedAnswer> {
    return replacedAnswer.parse(await json(await this.ask('replaced', server, '', { limit, cursor })));
  }

  async statReplaced(server: string, { job, path }: ReplacedCopy): Promise<StatAnswer> {
    return statAnswer.parse(await json(await this.ask('replaced-stat', server, path, { job })));
  }

  /** @param end the last byte */
  contentReplaced(server: string, { job, path }: ReplacedCopy, start: number, end: number): Promise<Readable> {
    return this.ask('replaced-content', server, path, { job, start, end });
  }

  /** Until the signal aborts. Refused before it begins, or not at all. */
  async follow(
    server: string,
    path: string,
    after: number | undefined,
    signal: AbortSignal,
  ): Promise<AsyncIterable<FollowStep>> {
    const answer = await this.ask('follow', server, path, { after });
    if (signal.aborted) answer.destroy();
    signal.addEventListener('abort', () => answer.destroy(), { once: true });
    return steps(answer, signal);
  }

  private async ask(
    question: Question,
    server: string,
    path: string,
    more: Record<string, string | number | undefined> = {},
    signal?: AbortSignal,
  ): Promise<IncomingMessage> {
    const query = new URLSearchParams({ server, path });
    for (const [name, value] of Object.entries(more)) if (value !== undefined) query.set(name, String(value));
    const answer = await this.send(`/${question}?${query.toString()}`, signal);
    if (answer.statusCode === 200) return answer;
    throw problemOf(refusal.parse(await json(answer)), path);
  }

  private async send(path: string, signal?: AbortSignal): Promise<IncomingMessage> {
    try {
      const request = await requestAtSocket(this.settings.root, signal ? { path, signal } : { path });
      request.end();
      const [answer]: IncomingMessage[] = await once(request, 'response');
      if (answer === undefined) throw new Error('a response event has a response');
      // From now on whoever reads the answer is told.
      request.on('error', () => undefined);
      return answer;
    } catch (error) {
      if (isAway(error)) throw new Unavailable(WORKER_AWAY, { cause: error });
      throw error;
    }
  }
}

async function* steps(answer: IncomingMessage, signal: AbortSignal): AsyncGenerator<FollowStep> {
  try {
    for await (const line of createInterface({ input: answer, crlfDelay: Infinity })) {
      yield followStep.parse(JSON.parse(line));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    answer.destroy();
  }
}

function isAway(error: unknown): boolean {
  const codes = ['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'];
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

function problemOf({ code, message }: { code: string; message: string }, path: string): Error {
  if (code === 'path-refused') return new Invalid([{ path: 'path', message }]);
  if (code === 'bad-cursor') return new Invalid([{ path: 'cursor', message }]);
  if (code === 'not-found') return new NotFound(`file or folder ${path}`);
  if (code === 'not-initialized') return new Conflict(`${message}: it has no files yet.`);
  if (code === 'instance-busy') return new Conflict(`${message}: files can be deleted when it is stopped.`);
  return new Error(`the worker does not answer: ${code}: ${message}`);
}
