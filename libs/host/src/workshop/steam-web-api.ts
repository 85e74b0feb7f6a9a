import { Interrupted } from '../errors.js';
import { backOff, type BackOff, isTemporaryStatus, retryAfterMs } from './back-off.js';
import { type Details, type Members, parseDetails, parseMembers } from './wire.js';
import { reasonOf, SteamAway, TryAgain } from './workshop-errors.js';
import { timeLimit } from '../process/time-limit.js';

/** Steam answers no more at once. */
const IDS_PER_CALL = 50;
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

export interface SteamWebApiOptions {
  /** Like https://api.steampowered.com */
  url: string;
  /** How often each call, and each item that Steam does not answer for, is tried. Default 5. */
  attempts?: number;
  /** How long one call may take. Default 15 s. */
  callMs?: number;
  backOff?: BackOff;
}

/** The keyless part of Steam's Web API that knows of the Workshop: forms are posted, at most 50 ids a call. */
export class SteamWebApi {
  private readonly options: Required<SteamWebApiOptions>;

  constructor(options: SteamWebApiOptions) {
    this.options = { attempts: 5, callMs: 15_000, backOff: { firstMs: 500, mostMs: 10_000 }, ...options };
  }

  /**
   * What Steam says of each id. One that Steam has no answer for, however often it is asked, is a temporary problem.
   * Throws `SteamAway`, `Interrupted`.
   */
  details(ids: readonly string[], signal: AbortSignal): Promise<Map<string, Details>> {
    const nothing = { collection: false, title: null, bytes: null, fileUrl: null, previewUrl: null };
    return this.ask(
      { method: 'ISteamRemoteStorage/GetPublishedFileDetails/v1/', count: 'itemcount', parse: parseDetails },
      (id) => ({ id, ...nothing, timeUpdated: null, content: '', problem: NO_ANSWER, temporary: true }),
      ids,
      signal,
    );
  }

  /** What is in each collection. Like `details`. */
  members(ids: readonly string[], signal: AbortSignal): Promise<Map<string, Members>> {
    return this.ask(
      { method: 'ISteamRemoteStorage/GetCollectionDetails/v1/', count: 'collectioncount', parse: parseMembers },
      (id) => ({ id, members: null, problem: NO_ANSWER, temporary: true }),
      ids,
      signal,
    );
  }

  /** Asks for all ids, then again for those without a final answer. */
  private async ask<T extends { id: string; temporary: boolean; problem: string | null }>(
    call: Call<T>,
    unanswered: (id: string) => T,
    ids: readonly string[],
    signal: AbortSignal,
  ): Promise<Map<string, T>> {
    const found = new Map(ids.map((id) => [id, unanswered(id)]));
    for (let attempt = 1; ; attempt++) {
      const open = [...found.values()].filter(({ temporary }) => temporary);
      for (let at = 0; at < open.length; at += IDS_PER_CALL) {
        const asked = open.slice(at, at + IDS_PER_CALL).map(({ id }) => id);
        for (const answer of await this.post(call, asked, signal)) {
          if (found.has(answer.id)) found.set(answer.id, answer);
        }
      }
      const again = [...found.values()].find(({ temporary }) => temporary);
      if (again === undefined || attempt >= this.options.attempts) return found;
      await backOff(new TryAgain(again.problem ?? ''), attempt, this.options.backOff, signal);
      if (signal.aborted) throw new Interrupted('asking Steam');
    }
  }

  private async post<T>(call: Call<T>, ids: readonly string[], signal: AbortSignal): Promise<T[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.postOnce(call, ids, signal);
      } catch (error) {
        if (signal.aborted) throw new Interrupted('asking Steam');
        if (!(error instanceof TryAgain)) throw error;
        if (attempt >= this.options.attempts) throw new SteamAway(error.message, { cause: error });
        await backOff(error, attempt, this.options.backOff, signal);
        if (signal.aborted) throw new Interrupted('asking Steam');
      }
    }
  }

  private async postOnce<T>(call: Call<T>, ids: readonly string[], signal: AbortSignal): Promise<T[]> {
    const form = new URLSearchParams({ [call.count]: String(ids.length) });
    ids.forEach((id, index) => form.set(`publishedfileids[${index}]`, id));
    const url = `${this.options.url.replace(/\/+$/, '')}/${call.method}`;
    const limit = AbortSignal.any([signal, timeLimit(this.options.callMs)]);
    let text: string;
    try {
      const response = await fetch(url, { method: 'POST', body: form, signal: limit });
      if (!response.ok) {
        await response.body?.cancel();
        const said = `${new URL(url).host} answers ${response.status}`;
        if (isTemporaryStatus(response.status)) throw new TryAgain(said, retryAfterMs(response.headers));
        throw new SteamAway(said);
      }
      text = await boundedText(response);
    } catch (error) {
      if (error instanceof TryAgain || error instanceof SteamAway) throw error;
      const late = limit.aborted && !signal.aborted;
      const reason = late ? `no answer within ${this.options.callMs / 1000} s` : reasonOf(error);
      const needed = `this machine needs a way to ${new URL(url).host}: look at its network and name resolution`;
      throw new TryAgain(`${reason}; ${needed}`, null, { cause: error });
    }
    return call.parse(parseJson(text));
  }
}

const NO_ANSWER = 'Steam says nothing about it';

interface Call<T> {
  method: string;
  count: string;
  parse: (answer: unknown) => T[];
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new SteamAway(`its answer is larger than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new TryAgain('its answer is not JSON', null, { cause: error });
  }
}
