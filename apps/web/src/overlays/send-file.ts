import { z } from 'zod';
import { api, ApiProblem, apiUrl, parseProblem } from '../api/client';
import { patiently, PAUSES } from './patience';
import { type Unpacked, unpackedSchema } from './schema';
import type { Chosen, Put } from './uploads';

/** Larger files come in pieces, so that a broken line costs one piece and not the file. */
const PIECE_BYTES = 8 * 1024 * 1024;
/** A piece of which nothing goes out for so long is on a line that broke without a word. */
const SILENCE_MS = 60_000;
/** An archive may take half an hour to unpack; a proxy that gives up on the answer does not end that. */
const FINISH_PAUSES = [...PAUSES, ...Array<number>(20).fill(30_000)];

const uploadSchema = z.object({ id: z.number(), offset: z.number(), result: z.unknown() });

/**
 * Sends files into the draft of an overlay: small ones at once, others in pieces that go on where they broke off, also when the
 * same file is tried again later on this page.
 * @param unpacked told of each archive
 */
export function sendFile(overlay: number, unpacked: (name: string, result: Unpacked) => void): Put {
  const begun = new WeakMap<File, number>();

  async function inPieces(chosen: Chosen, progress: (sent: number) => void, signal: AbortSignal): Promise<unknown> {
    const { file, path, unpack } = chosen;
    const known = begun.get(file);
    const begin = () => {
      const place = unpack ? { archive: unpack } : { path };
      return api.post(`/overlays/${overlay}/uploads`, { ...place, size: file.size }, uploadSchema);
    };
    const { id, offset } = known === undefined ? await begin() : ((await howFar(known, signal)) ?? (await begin()));
    begun.set(file, id);
    for (let sent = offset; sent < file.size;) {
      sent = await sendPiece(id, file, sent, progress, signal);
      progress(sent);
    }
    const finish = () => api.post(`/uploads/${id}/finish`, undefined, uploadSchema, { signal });
    const { result } = await patiently(finish, signal, { pauses: FINISH_PAUSES });
    begun.delete(file);
    return result;
  }

  return async (chosen, progress, signal) => {
    const { file, path, unpack } = chosen;
    const url = unpack
      ? apiUrl(`/overlays/${overlay}/archive`, { ...unpack })
      : apiUrl(`/overlays/${overlay}/files/content`, { path });
    const result =
      file.size > PIECE_BYTES
        ? await inPieces(chosen, progress, signal)
        : await request('PUT', url, file, progress, signal);
    if (unpack) unpacked(file.name, unpackedSchema.parse(result));
  };
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
    sending.onloadend = () => clearTimeout(silence);
    signal.addEventListener('abort', () => sending.abort());
    sending.send(body);
  });
}
