import { TryAgain } from './workshop-errors.js';

// Source of the shapes: https://partner.steamgames.com/doc/webapi/ISteamRemoteStorage, and what Steam answers besides

/** The app that items must be made for: Left 4 Dead 2. */
const APP = 550;
const COLLECTION = 2;
const MAX_TITLE = 300;
const MAX_URL = 2048;
/** The year 9999: what a date can be. */
const MAX_SECONDS = 253_402_300_799;

/** EResult values that say nothing about the item: fail, busy, timeout, service unavailable, rate limit. */
const TEMPORARY_RESULTS: ReadonlyMap<number, string> = new Map([
  [2, 'Steam failed to look it up'],
  [10, 'Steam is busy'],
  [16, 'Steam took too long to look it up'],
  [20, 'this service of Steam is unavailable'],
  [84, 'Steam was asked too often'],
]);

const FINAL_RESULTS: ReadonlyMap<number, string> = new Map([
  [9, 'it does not exist, or was removed or hidden by its author'],
  [15, 'its author lets nobody else see it'],
]);

/** One entry of GetPublishedFileDetails. */
export interface Details {
  id: string;
  /** Steam says that it is a collection; false: it may still be one. */
  collection: boolean;
  title: string | null;
  bytes: number | null;
  fileUrl: string | null;
  previewUrl: string | null;
  /** Unix seconds. */
  timeUpdated: number | null;
  /** Steam's handle of the content; empty when it gives none. */
  content: string;
  problem: string | null;
  temporary: boolean;
}

/** One entry of GetCollectionDetails; `members` is null when it is no collection, or cannot be read. */
export interface Members {
  id: string;
  members: string[] | null;
  problem: string | null;
  temporary: boolean;
}

/** Throws `TryAgain` for an answer of another shape: an error page of something in between. */
export function parseDetails(answer: unknown): Details[] {
  return entriesOf(answer, 'publishedfiledetails').flatMap((entry) => {
    const id = idOf(entry['publishedfileid']);
    return id === null ? [] : [detailsOf(id, entry)];
  });
}

/** Throws `TryAgain` like `parseDetails`. */
export function parseMembers(answer: unknown): Members[] {
  return entriesOf(answer, 'collectiondetails').flatMap((entry) => {
    const id = idOf(entry['publishedfileid']);
    if (id === null) return [];
    const verdict = verdictOf(entry['result']);
    const children = Array.isArray(entry['children']) ? entry['children'] : [];
    const members = children.flatMap((child: unknown) => idOf(isRecord(child) ? child['publishedfileid'] : null) ?? []);
    return [{ id, members: verdict.problem === null ? members : null, ...verdict }];
  });
}

/** A published file id: an unsigned 64-bit number. */
export function isPublishedFileId(text: string): boolean {
  return /^[1-9]\d{0,19}$/.test(text) && BigInt(text) < 2n ** 64n;
}

function detailsOf(id: string, entry: Record<string, unknown>): Details {
  const app = numberOf(entry['consumer_app_id']);
  const verdict = verdictOf(entry['result']);
  return {
    id,
    collection: numberOf(entry['file_type']) === COLLECTION,
    title: titleOf(entry['title']),
    bytes: numberOf(entry['file_size']),
    fileUrl: urlOf(entry['file_url']),
    previewUrl: urlOf(entry['preview_url']),
    timeUpdated: secondsOf(entry['time_updated']),
    content: idOf(entry['hcontent_file']) ?? '',
    problem: verdict.problem ?? banOf(entry) ?? (app === APP ? null : otherAppProblem(app)),
    temporary: verdict.temporary,
  };
}

function verdictOf(value: unknown): { problem: string | null; temporary: boolean } {
  const result = numberOf(value);
  if (result === 1) return { problem: null, temporary: false };
  const temporary = result === null ? undefined : TEMPORARY_RESULTS.get(result);
  if (temporary !== undefined) return { problem: temporary, temporary: true };
  const unknown = `Steam answers with ${result === null ? 'no result' : `result ${result}`}`;
  return { problem: (result === null ? undefined : FINAL_RESULTS.get(result)) ?? unknown, temporary: false };
}

function banOf(entry: Record<string, unknown>): string | null {
  if (entry['banned'] !== true && numberOf(entry['banned']) !== 1) return null;
  const reason = titleOf(entry['ban_reason']);
  return `Steam has banned it${reason === null ? '' : `: ${reason}`}`;
}

function otherAppProblem(app: number | null): string {
  return app === null ? 'Steam does not say which game it is for' : `it is for another game (Steam app ${app})`;
}

function entriesOf(answer: unknown, list: string): Record<string, unknown>[] {
  const response = isRecord(answer) ? answer['response'] : null;
  const entries: unknown = isRecord(response) ? response[list] : null;
  if (!Array.isArray(entries)) throw new TryAgain(`its answer has no ${list}`);
  return entries.filter(isRecord);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Steam gives the same number as a number here and as a string there. */
function numberOf(value: unknown): number | null {
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : null;
}

function secondsOf(value: unknown): number | null {
  const seconds = numberOf(value);
  return seconds === null || seconds > MAX_SECONDS ? null : seconds;
}

function idOf(value: unknown): string | null {
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  return typeof text === 'string' && isPublishedFileId(text) ? text : null;
}

function titleOf(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const text = value
    .replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .trim()
    .slice(0, MAX_TITLE)
    .toWellFormed();
  return text === '' ? null : text;
}

function urlOf(value: unknown): string | null {
  if (typeof value !== 'string' || value.length > MAX_URL || !URL.canParse(value)) return null;
  const { protocol, href } = new URL(value);
  return /^https?:$/.test(protocol) ? href : null;
}
