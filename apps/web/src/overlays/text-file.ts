import { z } from 'zod';
import { ApiProblem, apiUrl, parseProblem } from '../api/client';

/** More than any configuration has; a text area would be slow with it. */
export const MAX_TEXT_BYTES = 1024 * 1024;

const BINARY =
  /\.(vpk|bsp|nav|mdl|vtx|vvd|phy|vtf|ain|wav|mp3|dll|so|smx|dem|zip|gz|tgz|bz2|xz|zst|7z|rar|png|jpe?g|exe|db|sq3)$/i;

/** Whether a file is none of text, by its name. */
export function isBinary(name: string): boolean {
  return BINARY.test(name);
}

/** Whether a file is offered to be edited; whether it can be is known when it was read. */
export function mayBeText(name: string, size: number): boolean {
  return size <= MAX_TEXT_BYTES && !isBinary(name);
}

/** What a save must find in the draft: the file of this ETag, no file at all (`none`), or whatever there is (null). */
export type Seen = { etag: string } | 'none' | null;

export interface TextFile {
  text: string;
  etag: string | null;
}

const writtenSchema = z.object({ etag: z.string() });

function urlOf(overlay: number, path: string, revision: number | null): string {
  return apiUrl(`/overlays/${overlay}/files/content`, { path, revision });
}

/** @throws Error for what is not UTF-8 text: saving it would change it */
export async function readText(overlay: number, path: string, revision: number | null): Promise<TextFile> {
  const response = await fetch(urlOf(overlay, path, revision), { credentials: 'same-origin', cache: 'no-store' });
  if (!response.ok) throw parseProblem(response.status, await response.text());
  const bytes = await response.arrayBuffer();
  const text = decode(bytes);
  if (text === null || text.includes('\0'))
    throw new Error('This is not a text in UTF-8: download it to look into it.');
  return { text, etag: response.headers.get('ETag') };
}

/** @throws Outdated when there is something else */
export async function saveText(overlay: number, path: string, text: string, seen: Seen): Promise<string> {
  const response = await fetch(urlOf(overlay, path, null), {
    method: 'PUT',
    credentials: 'same-origin',
    headers: {
      'Content-Type': 'application/octet-stream',
      Accept: 'application/json',
      ...(seen === 'none' ? { 'If-None-Match': '*' } : seen === null ? {} : { 'If-Match': seen.etag }),
    },
    body: text,
  });
  if (response.status === 412) throw new Outdated();
  if (!response.ok) throw parseProblem(response.status, await response.text());
  return writtenSchema.parse(await response.json()).etag;
}

export class Outdated extends ApiProblem {
  constructor() {
    super({ status: 412, title: 'Changed by somebody else' });
  }
}

function decode(bytes: ArrayBuffer): string | null {
  try {
    // A byte order mark stays, to be there when the text is saved.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
