import { z } from 'zod';
import { api, ApiProblem, apiUrl, parseProblem } from '../api/client';
import { patiently, PAUSES } from './patience';
import { type Unpacked, unpackedSchema } from './schema';
import { isOf, readUnfinished, sourceOf } from './unfinished';
import type { News, Put, Upload } from './uploads';

/** Larger files come in pieces, so that a broken line costs one piece and not the file. */
const PIECE_BYTES = 8 * 1024 * 1024;
/** A piece of which nothing goes out for so long is on a line that broke without a word. */
const SILENCE_MS = 60_000;
/** An archive may take half an hour to unpack; a proxy that gives up on the answer does not end that. */
const FINISH_PAUSES = [...PAUSES, ...Array<number>(20).fill(30_000)];

/** How often the panel is asked how far it is with an archive, in ms. */
const LOOK_MS = 2_000;

const uploadSchema = z.object({
  id: z.number(),
  offset: z.number(),
  unpackedFiles: z.number().nullable(),
  result: z.unknown(),
});

/**
 * Sends files into the draft of an overlay: small ones at once, others in pieces that go on where they broke off, also when the
 * same file is chosen again on another day.
 * @param unpacked told of each archive
 * @param taken whether an upload is of another file of this page
 */
export function sendFile(
  overlay: number,
  unpacked: (name: string, result: Unpacked) => void,
  taken: (id: number) => boolean,
): Put {
  async function begin(upload: Readonly<Upload>, signal: AbortSignal) {
    const known = upload.id ?? (await leftBehind(upload, signal));
    const there = known === null ? null : await howFar(known, signal);
    if (there !== null) return there;
    const { file, path, unpack } = upload;
    const place = unpack ? { archive: unpack } : { path };
    const body = { ...place, size: file.size, source: sourceOf(file) };
    return api.post(`/overlays/${overlay}/uploads`, body, uploadSchema, { signal });
  }

  async function leftBehind(upload: Readonly<Upload>, signal: AbortSignal): Promise<number | null> {
    const unfinished = await readUnfinished(overlay, signal);
    return unfinished.find((item) => isOf(item, upload) && !taken(item.id))?.id ?? null;
  }

  async function inPieces(
    upload: Readonly<Upload>,
    tell: (news: News) => void,
    progress: (sent: number) => void,
    signal: AbortSignal,
  ): Promise<unknown> {
    const { file } = upload;
    const { id, offset } = await begin(upload, signal);
    tell({ id });
    progress(offset);
    for (let sent = offset; sent < file.size;) {
      sent = await sendPiece(id, file, sent, progress, signal);
      progress(sent);
    }
    const finish = () => api.post(`/uploads/${id}/finish`, undefined, uploadSchema, { signal });
    const looking = upload.unpack && setInterval(() => void look(id, tell, signal), LOOK_MS);
    try {
      return (await patiently(finish, signal, { pauses: FINISH_PAUSES })).result;
    } finally {
      clearInterval(looking);
    }
  }

  return async (upload, tell, signal) => {
    const { file, path, unpack } = upload;
    const progress = (sent: number): void =>
      tell(unpack && sent >= file.size ? { sent, state: 'unpacking' } : { sent, state: 'sending' });
    const url = unpack
      ? apiUrl(`/overlays/${overlay}/archive`, { ...unpack })
      : apiUrl(`/overlays/${overlay}/files/content`, { path });
    const result =
      file.size > PIECE_BYTES
        ? await inPieces(upload, tell, progress, signal)
        : await request('PUT', url, file, progress, signal);
    if (unpack) unpacked(file.name, unpackedSchema.parse(result));
  };
}

async function look(id: number, tell: (news: News) => void, signal: AbortSignal): Promise<void> {
  try {
    const { unpackedFiles } = await api.get(`/uploads/${id}`, uploadSchema, { signal });
    if (unpackedFiles !== null) tell({ unpackedFiles });
  } catch {
    // Whether it fails is found out by finishing.
  }
}

/** Null when it is gone, or what was sent of it: what nobody finishes is kept for a day. */
async function howFar(upload: number, signal: AbortSignal) {
  try {
    return await api.get(`/uploads/${upload}`, uploadSchema, { signal });
  } catch (error) {
    if (error instanceof ApiProblem && (error.status === 404 || error.status === 409)) return null;
    throw error;
  }
}

/**
 * How much has come then. After a failure the panel is asked where the upload goes on: it may have got more, or less, than went out
 * here, and answers 409 to a piece from elsewhere.
 */
async function sendPiece(
  upload: number,
  file: File,
  offset: number,
  progress: (sent: number) => void,
  signal: AbortSignal,
): Promise<number> {
  let from: number | null = offset;
  const attempt = async (): Promise<number> => {
    const begin = from ?? (await api.get(`/uploads/${upload}`, uploadSchema, { signal })).offset;
    from = null;
    if (begin >= file.size) return begin;
    const piece = file.slice(begin, begin + PIECE_BYTES);
    const url = apiUrl(`/uploads/${upload}`, { offset: begin });
    const sent = (bytes: number): void => progress(begin + bytes);
    return uploadSchema.parse(await request('PATCH', url, piece, sent, signal, SILENCE_MS)).offset;
  };
  return patiently(attempt, signal, { also: [409] });
}

/**
 * fetch cannot tell how much of a body was sent; XMLHttpRequest can.
 * @param silenceMs after which it is given up when nothing is sent or answered
 */
function request(
  method: 'PUT' | 'PATCH',
  url: string,
  body: Blob,
  progress: (sent: number) => void,
  signal: AbortSignal,
  silenceMs?: number,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const sending = new XMLHttpRequest();
    const unreachable = (): void => reject(new ApiProblem({ status: 0, title: 'The panel cannot be reached.' }));
    const silent = (): void => {
      unreachable();
      sending.abort();
    };
    let silence = silenceMs === undefined ? undefined : setTimeout(silent, silenceMs);
    sending.open(method, url);
    sending.setRequestHeader('Content-Type', 'application/octet-stream');
    sending.setRequestHeader('Accept', 'application/json');
    sending.upload.onprogress = (event) => {
      clearTimeout(silence);
      if (silenceMs !== undefined) silence = setTimeout(silent, silenceMs);
      progress(event.loaded);
    };
    sending.onload = () =>
      sending.status < 300
        ? resolve(JSON.parse(sending.responseText))
        : reject(parseProblem(sending.status, sending.responseText));
    sending.onerror = unreachable;
    sending.onabort = () => reject(new DOMException('stopped', 'AbortError'));
    const stop = (): void => sending.abort();
    sending.onloadend = () => {
      clearTimeout(silence);
      signal.removeEventListener('abort', stop);
    };
    signal.addEventListener('abort', stop);
    sending.send(body);
  });
}
