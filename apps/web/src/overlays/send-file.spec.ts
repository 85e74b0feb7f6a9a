import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { sendFile } from './send-file';

const PIECE = 8 * 1024 * 1024;
const SIZE = PIECE + 4;
const never = new AbortController().signal;

/** What the panel answers next, in order, as `PATCH 0`, `GET`, `finish`; 0: no answer at all, null: silence. */
let answers: [asked: string, status: number | null, offset?: number][];

/** The uploads that were left behind. */
let left: object[];

function answer(what: string): { status: number | null; body: string } {
  const [expected, status, offset = 0] = answers.shift() ?? ['nothing more', 0];
  expect(what).toBe(expected);
  return {
    status,
    body: JSON.stringify({ id: 7, offset, unpackedFiles: null, result: { files: 1 }, items: left, nextCursor: null }),
  };
}

class FakeRequest {
  upload: { onprogress?: (event: { loaded: number }) => void } = {};
  status = 0;
  responseText = '';
  onload?: () => void;
  onerror?: () => void;
  onabort?: () => void;
  onloadend?: () => void;
  private what = '';

  open(method: string, url: string): void {
    this.what = `${method} ${new URL(url, 'http://x').searchParams.get('offset')}`;
  }

  setRequestHeader(): void {}

  send(): void {
    const { status, body } = answer(this.what);
    if (status === null) return;
    this.status = status;
    this.responseText = body;
    setTimeout(() => {
      if (status === 0) this.onerror?.();
      else this.onload?.();
      this.onloadend?.();
    });
  }

  abort(): void {
    this.onabort?.();
    this.onloadend?.();
  }
}

beforeEach(() => {
  left = [];
  vi.useFakeTimers();
  vi.stubGlobal('XMLHttpRequest', FakeRequest);
  vi.stubGlobal('fetch', async (url: string, { method, signal }: { method: string; signal?: AbortSignal }) => {
    const begun = method === 'POST' ? 'begin' : 'list';
    const what = url.endsWith('/finish') ? 'finish' : url.endsWith('/uploads') ? begun : method;
    const { status, body } = answer(what);
    if (status === 0) throw new TypeError('network');
    if (status === null) {
      await new Promise((_, reject) =>
        signal?.addEventListener('abort', () => reject(new DOMException('stopped', 'AbortError'))),
      );
    }
    return new Response(body, { status: status ?? 200 });
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function send(taken: readonly number[] = [], signal = never): Promise<unknown> {
  const file = new File([new Uint8Array(SIZE)], 'a.zip', { lastModified: Date.parse('2026-11-01T10:00:00Z') });
  const put = sendFile(
    1,
    () => undefined,
    (id) => taken.includes(id),
  );
  const anew = { state: 'waiting', sent: 0, unpackedFiles: null, id: null, error: null, refused: false } as const;
  const sending = put({ file, path: 'a.zip', ...anew }, () => undefined, signal);
  const ended = sending.catch((error: unknown) => error);
  await vi.runAllTimersAsync();
  return ended;
}

it('a piece goes on from what the panel has, whatever came in between', async () => {
  answers = [
    ['list', 200],
    ['begin', 201],
    ['PATCH 0', null],
    ['GET', 200, 5],
    ['PATCH 5', 409],
    ['GET', 0],
    ['GET', 200, 9],
    ['PATCH 9', 408],
    ['GET', 200, PIECE],
    [`PATCH ${PIECE}`, 502],
    ['GET', 200, SIZE],
    ['finish', 200],
  ];
  expect(await send()).toBeUndefined();
  expect(answers).toEqual([]);
});

it('finishing is asked for again until there is an answer', async () => {
  answers = [
    ['list', 200],
    ['begin', 201],
    ['PATCH 0', 200, SIZE],
    ['finish', 504],
    ['finish', 0],
    ['finish', 503],
    ['finish', 200],
  ];
  expect(await send()).toBeUndefined();
  expect(answers).toEqual([]);
});

it('what the panel refuses is not tried again', async () => {
  answers = [
    ['list', 200],
    ['begin', 201],
    ['PATCH 0', 200, SIZE],
    ['finish', 422],
  ];
  expect(await send()).toMatchObject({ status: 422 });
  answers = [
    ['list', 200],
    ['begin', 201],
    ['PATCH 0', 507],
  ];
  expect(await send()).toMatchObject({ status: 507 });
  expect(answers).toEqual([]);
});

it('nothing more is sent once it is stopped, whatever is under way', async () => {
  const steps: typeof answers = [
    ['list', 200],
    ['begin', 201],
    ['PATCH 0', 200, PIECE],
    [`PATCH ${PIECE}`, 200, SIZE],
    ['finish', 200],
  ];
  for (const [asked] of steps) {
    const at = steps.findIndex((step) => step[0] === asked);
    answers = [...steps.slice(0, at), [asked, null]];
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 1_000);
    expect(await send([], stop.signal)).toMatchObject({ name: 'AbortError' });
    expect(answers).toEqual([]);
  }
  const stopped = AbortSignal.abort();
  answers = [
    ['list', 200],
    ['begin', 201],
  ];
  expect(await send([], stopped)).toMatchObject({ name: 'AbortError' });
  expect(answers).toEqual([]);
});

it('what was left behind of the same file is gone on with, of no other', async () => {
  const source = { name: 'a.zip', modifiedAt: '2026-11-01T10:00:00.000Z' };
  const far = { size: SIZE, offset: PIECE, active: false, unpackedFiles: null };
  const behind = { id: 7, path: 'a.zip', archive: null, source, ...far };
  left = [behind];
  answers = [
    ['list', 200],
    ['GET', 200, PIECE],
    [`PATCH ${PIECE}`, 200, SIZE],
    ['finish', 200],
  ];
  expect(await send()).toBeUndefined();
  expect(answers).toEqual([]);
  const anew: typeof answers = [
    ['list', 200],
    ['begin', 507],
  ];
  for (const other of [
    { size: SIZE + 1 },
    { path: 'cfg/a.zip' },
    { path: null, archive: { target: '', mode: 'merge' } },
    { source: { ...source, name: 'b.zip' } },
    { source: { ...source, modifiedAt: '2026-11-01T10:00:01.000Z' } },
    { source: null },
  ]) {
    left = [{ ...behind, ...other }];
    answers = [...anew];
    expect(await send()).toMatchObject({ status: 507 });
  }
  left = [behind];
  answers = [...anew];
  expect(await send([7])).toMatchObject({ status: 507 });
  expect(answers).toEqual([]);
});
