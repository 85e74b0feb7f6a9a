import { z } from 'zod';
import { api, ApiProblem, apiUrl, parseProblem } from '../api/client';
import { type Unpacked, unpackedSchema } from './schema';
import type { Chosen, Put } from './uploads';

/** Larger files come in pieces, so that a broken line costs one piece and not the file. */
const PIECE_BYTES = 8 * 1024 * 1024;
/** How often the same piece is tried again while the panel cannot be reached, in ms. */
const PAUSES = [1_000, 2_000, 5_000, 10_000, 20_000, 30_000];

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
    const upload = known === undefined ? await begin() : ((await howFar(known, signal)) ?? (await begin()));
    begun.set(file, upload.id);
    for (let offset = upload.offset; offset < file.size;) {
      const from = offset;
      const piece = file.slice(from, from + PIECE_BYTES);
      offset = await patiently(upload.id, signal, async () => {
        const url = apiUrl(`/uploads/${upload.id}`, { offset: from });
        return offsetOf(await request('PATCH', url, piece, (sent) => progress(from + sent), signal));
      });
      progress(offset);
    }
    const { result } = await api.post(`/uploads/${upload.id}/finish`, undefined, uploadSchema);
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

/** Null when it is gone: what nobody finishes is kept for a day. */
async function howFar(upload: number, signal: AbortSignal) {
  try {
    return await api.get(`/uploads/${upload}`, uploadSchema, { signal });
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 404) return null;
    throw error;
  }
}

/** Tries again while the panel cannot be reached; where the upload goes on then is the panel's word. */
async function patiently(upload: number, signal: AbortSignal, send: () => Promise<number>): Promise<number> {
  for (const pause of PAUSES) {
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof ApiProblem) || (error.status !== 0 && error.status < 502)) throw error;
      await sleep(pause, signal);
      const seen = await api.get(`/uploads/${upload}`, uploadSchema, { signal }).catch(() => null);
      if (seen !== null) return seen.offset;
    }
  }
  return send();
}

/** fetch cannot tell how much of a body was sent; XMLHttpRequest can. */
function request(
  method: 'PUT' | 'PATCH',
  url: string,
  body: Blob,
  progress: (sent: number) => void,
  signal: AbortSignal,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    sending.open(method, url);
    sending.setRequestHeader('Content-Type', 'application/octet-stream');
    sending.setRequestHeader('Accept', 'application/json');
    sending.upload.onprogress = (event) => progress(event.loaded);
    sending.onload = () =>
      sending.status < 300
        ? resolve(JSON.parse(sending.responseText))
        : reject(parseProblem(sending.status, sending.responseText));
    sending.onerror = () => reject(new ApiProblem({ status: 0, title: 'The panel cannot be reached.' }));
    sending.onabort = () => reject(new DOMException('stopped', 'AbortError'));
    signal.addEventListener('abort', () => sending.abort());
    sending.send(body);
  });
}

function offsetOf(answer: unknown): number {
  return uploadSchema.parse(answer).offset;
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new DOMException('stopped', 'AbortError'));
    });
  });
}
