import { computed, shallowReactive } from 'vue';
import { ApiProblem, explain } from '../api/client';

export interface Chosen {
  file: File;
  /** Where it goes, relative to the overlay's root; of an archive that is unpacked: beside what it is unpacked to. */
  path: string;
  /** Unpack it instead of keeping the file. */
  unpack?: Unpack;
}

/** Where an archive goes: `merge` keeps the other files of that folder, `replace` does not. */
export interface Unpack {
  target: string;
  mode: 'merge' | 'replace';
}

export interface Upload extends Chosen {
  /** `unpacking`: all of it is there, and the panel is at work. */
  state: 'waiting' | 'sending' | 'unpacking' | 'done' | 'failed';
  sent: number;
  /** Files that the panel has unpacked, as far as it says. */
  unpackedFiles: number | null;
  /** The panel's upload, when it goes in pieces. */
  id: number | null;
  error: string | null;
  /** The panel does not take this file, or this name: sending it again changes nothing. */
  refused: boolean;
}

/** How it goes. */
export type News = Partial<Pick<Upload, 'state' | 'sent' | 'unpackedFiles' | 'id'>>;

/** Sends one file; one with an id goes on where it broke off. */
export type Put = (upload: Readonly<Upload>, tell: (news: News) => void, signal: AbortSignal) => Promise<void>;

export type UploadQueue = ReturnType<typeof uploadQueue>;

/** At once: enough to fill a line with small files, few enough for a home connection. */
const atOnce = 3;

/**
 * Sends files a few at a time, whatever page is shown.
 * @param settled called after each batch, to refresh what is shown
 * @param giveUp told of the panel's uploads that nobody will go on with
 */
export function uploadQueue(put: Put, settled: () => void, giveUp: (ids: readonly number[]) => void) {
  const uploads = shallowReactive<Upload[]>([]);
  let control = new AbortController();
  const under = (...states: Upload['state'][]) => uploads.filter(({ state }) => states.includes(state));

  const update = (upload: Upload, change: Partial<Upload>): void => {
    Object.assign(upload, change);
  };

  async function send(upload: Upload): Promise<void> {
    const { signal } = control;
    update(upload, { state: 'sending', unpackedFiles: null, error: null });
    try {
      const tell = (news: News): void => {
        if (!signal.aborted) update(upload, news);
      };
      await put(upload, tell, signal);
      update(upload, { state: 'done', sent: upload.file.size });
    } catch (error) {
      update(upload, {
        state: 'failed',
        sent: 0,
        error: signal.aborted ? 'Stopped.' : explain(error),
        refused: error instanceof ApiProblem && (error.status === 400 || error.status === 422),
      });
    }
    pump();
  }

  function pump(): void {
    const underWay = under('sending', 'unpacking').length;
    const waiting = under('waiting').slice(0, atOnce - underWay);
    for (const upload of waiting) void send(upload);
    if (underWay === 0 && waiting.length === 0) settled();
  }

  function abort(): void {
    control.abort();
    control = new AbortController();
  }

  return {
    uploads,
    busy: computed(() => under('waiting', 'sending', 'unpacking').length > 0),
    done: computed(() => under('done').length),
    failed: computed(() => under('failed')),
    unpacking: computed(() => under('unpacking')),
    /** 0–100, by bytes; null while the panel only unpacks. */
    percent: computed(() => {
      if (under('waiting', 'sending').length === 0 && under('unpacking').length > 0) return null;
      const size = (upload: Upload): number => Math.max(1, upload.file.size);
      const all = uploads.reduce((sum, upload) => sum + size(upload), 0);
      const sent = uploads.reduce((sum, upload) => sum + (upload.state === 'done' ? size(upload) : upload.sent), 0);
      return all === 0 ? 0 : (sent / all) * 100;
    }),
    add(chosen: readonly Chosen[]): void {
      // A finished batch makes room for the next one.
      if (uploads.every((upload) => upload.state === 'done')) uploads.splice(0);
      const anew = { state: 'waiting', sent: 0, unpackedFiles: null, id: null, error: null, refused: false } as const;
      uploads.push(...chosen.map((item) => shallowReactive<Upload>({ ...item, ...anew })));
      pump();
    },
    /** What is there whole is given up: the panel puts it into the draft whether or not somebody waits for it. */
    stop(): void {
      for (const upload of under('waiting')) update(upload, { state: 'failed', error: 'Stopped.' });
      const whole = under('sending', 'unpacking').filter(({ id, file, sent }) => id !== null && sent >= file.size);
      const ids = idsOf(whole);
      abort();
      for (const upload of whole) update(upload, { id: null });
      if (ids.length > 0) giveUp(ids);
    },
    /** Ends and forgets all. The panel keeps what has come, and goes on with what it has whole. */
    leave(): void {
      uploads.splice(0);
      abort();
    },
    retry(): void {
      for (const upload of under('failed')) if (!upload.refused) update(upload, { state: 'waiting' });
      pump();
    },
    /** Also forgets what has come of those that failed. */
    clear(): void {
      const ids = idsOf(under('failed'));
      uploads.splice(0);
      if (ids.length > 0) giveUp(ids);
    },
  };
}

function idsOf(uploads: readonly Upload[]): number[] {
  return uploads.flatMap(({ id }) => (id === null ? [] : [id]));
}
