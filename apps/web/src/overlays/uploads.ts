import { computed, onScopeDispose, shallowReactive } from 'vue';
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
  state: 'waiting' | 'sending' | 'done' | 'failed';
  sent: number;
  error: string | null;
  /** The panel does not take this file, or this name: sending it again changes nothing. */
  refused: boolean;
}

/** At once: enough to fill a line with small files, few enough for a home connection. */
const atOnce = 3;

export type Put = (chosen: Chosen, progress: (sent: number) => void, signal: AbortSignal) => Promise<void>;

/** Sends files a few at a time. `settled` is called after each batch, to refresh what is shown. */
export function useUploads(put: Put, settled: () => void) {
  const uploads = shallowReactive<Upload[]>([]);
  let control = new AbortController();

  const update = (upload: Upload, change: Partial<Upload>): void => {
    Object.assign(upload, change);
  };

  async function send(upload: Upload): Promise<void> {
    update(upload, { state: 'sending', error: null });
    try {
      await put(upload, (sent) => update(upload, { sent }), control.signal);
      update(upload, { state: 'done', sent: upload.file.size });
    } catch (error) {
      update(upload, {
        state: 'failed',
        sent: 0,
        error: control.signal.aborted ? 'Stopped.' : explain(error),
        refused: error instanceof ApiProblem && (error.status === 400 || error.status === 422),
      });
    }
    pump();
  }

  function pump(): void {
    const sending = uploads.filter((upload) => upload.state === 'sending').length;
    const waiting = uploads.filter((upload) => upload.state === 'waiting').slice(0, atOnce - sending);
    for (const upload of waiting) void send(upload);
    if (sending === 0 && waiting.length === 0) settled();
  }

  onScopeDispose(() => control.abort());

  return {
    uploads,
    busy: computed(() => uploads.some((upload) => upload.state === 'sending' || upload.state === 'waiting')),
    done: computed(() => uploads.filter((upload) => upload.state === 'done').length),
    failed: computed(() => uploads.filter((upload) => upload.state === 'failed')),
    /** 0–100, by bytes. */
    percent: computed(() => {
      const all = uploads.reduce((sum, upload) => sum + Math.max(1, upload.file.size), 0);
      const sent = uploads.reduce(
        (sum, upload) => sum + (upload.state === 'done' ? Math.max(1, upload.file.size) : upload.sent),
        0,
      );
      return all === 0 ? 0 : (sent / all) * 100;
    }),
    add(chosen: readonly Chosen[]): void {
      // A finished batch makes room for the next one.
      if (uploads.every((upload) => upload.state === 'done')) uploads.splice(0);
      uploads.push(
        ...chosen.map((item) =>
          shallowReactive<Upload>({ ...item, state: 'waiting', sent: 0, error: null, refused: false }),
        ),
      );
      pump();
    },
    stop(): void {
      for (const upload of uploads)
        if (upload.state === 'waiting') update(upload, { state: 'failed', error: 'Stopped.' });
      control.abort();
      control = new AbortController();
    },
    retry(): void {
      for (const upload of uploads)
        if (upload.state === 'failed' && !upload.refused) update(upload, { state: 'waiting' });
      pump();
    },
    clear(): void {
      uploads.splice(0);
    },
  };
}
