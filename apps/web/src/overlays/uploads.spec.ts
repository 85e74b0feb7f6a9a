import { describe, expect, it, vi } from 'vitest';
import { ApiProblem } from '../api/client';
import { fromPicker, isArchive } from './chosen-files';
import { type Put, uploadQueue } from './uploads';

/** The second that is usual may be gone before a busy machine has done what takes a few milliseconds. */
const WAIT_MS = 20_000;
vi.setConfig({ testTimeout: 30_000 });

function chosen(...names: string[]) {
  return names.map((name) => ({ file: new File(['12345'], name), path: `cfg/${name}` }));
}

function setUp(put: Put) {
  const settled = vi.fn<() => void>();
  const givenUp = vi.fn<(ids: readonly number[]) => void>();
  return { uploads: uploadQueue(put, settled, givenUp), settled, givenUp };
}

describe('uploads', () => {
  it('go three at a time and end with one refresh', async () => {
    let open = 0;
    let most = 0;
    const { uploads, settled } = setUp(async () => {
      open += 1;
      most = Math.max(most, open);
      await new Promise((resolve) => setTimeout(resolve, 1));
      open -= 1;
    });
    uploads.add(chosen('a', 'b', 'c', 'd', 'e', 'f', 'g'));
    await vi.waitFor(() => expect(settled).toHaveBeenCalledOnce(), WAIT_MS);
    expect(most).toBe(3);
    expect(uploads.done.value).toBe(7);
    expect(uploads.percent.value).toBe(100);
  });

  it('say what failed, and try it again', async () => {
    const broken = new Set(['cfg/b']);
    const { uploads, settled } = setUp(({ path }) =>
      broken.has(path) ? Promise.reject(new Error('The path is refused.')) : Promise.resolve(),
    );
    uploads.add(chosen('a', 'b'));
    await vi.waitFor(() => expect(settled).toHaveBeenCalledOnce(), WAIT_MS);
    expect(uploads.failed.value.map((upload) => [upload.path, upload.error])).toEqual([
      ['cfg/b', 'The path is refused.'],
    ]);
    broken.clear();
    uploads.retry();
    await vi.waitFor(() => expect(settled).toHaveBeenCalledTimes(2), WAIT_MS);
    expect(uploads.failed.value).toEqual([]);
  });

  it('are not tried again when the panel refuses the name', async () => {
    const refusal = new ApiProblem({ status: 400, title: 'Bad path' });
    const put = vi.fn<Put>(({ path }) => Promise.reject(path === 'cfg/a' ? refusal : new Error('The line broke.')));
    const { uploads, settled } = setUp(put);
    uploads.add(chosen('a', 'b'));
    await vi.waitFor(() => expect(settled).toHaveBeenCalledOnce(), WAIT_MS);
    expect(uploads.failed.value.map((upload) => upload.refused)).toEqual([true, false]);
    uploads.retry();
    await vi.waitFor(() => expect(settled).toHaveBeenCalledTimes(2), WAIT_MS);
    expect(put.mock.calls.map(([{ path }]) => path)).toEqual(['cfg/a', 'cfg/b', 'cfg/b']);
  });

  it('can be stopped', async () => {
    const { uploads, settled } = setUp(
      (_chosen, _progress, signal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))),
    );
    uploads.add(chosen('a', 'b', 'c', 'd'));
    uploads.stop();
    await vi.waitFor(() => expect(settled).toHaveBeenCalled(), WAIT_MS);
    expect(uploads.failed.value.map(({ error }) => error)).toEqual(Array(4).fill('Stopped.'));
    expect(uploads.busy.value).toBe(false);
  });

  it('are gone on with when they are tried again, and given up when nobody wants that', async () => {
    const ids: (number | null)[] = [];
    const { uploads, settled, givenUp } = setUp(async ({ id, path }, tell) => {
      ids.push(id);
      if (path === 'cfg/a') tell({ id: 7 });
      throw new Error('The line broke.');
    });
    uploads.add(chosen('a', 'b'));
    await vi.waitFor(() => expect(settled).toHaveBeenCalledOnce(), WAIT_MS);
    uploads.retry();
    await vi.waitFor(() => expect(settled).toHaveBeenCalledTimes(2), WAIT_MS);
    expect(ids).toEqual([null, null, 7, null]);
    uploads.clear();
    expect(givenUp.mock.calls).toEqual([[[7]]]);
  });

  it('are given up when they are stopped while the panel unpacks them', async () => {
    const { uploads, settled, givenUp } = setUp(
      ({ file, path }, tell, signal) =>
        new Promise((_, reject) => {
          if (path === 'cfg/pack.zip') tell({ id: 7, sent: file.size, state: 'unpacking' });
          else tell({ id: 8, sent: 1 });
          signal.addEventListener('abort', () => reject(new Error('aborted')));
        }),
    );
    uploads.add(chosen('pack.zip', 'half.zip'));
    uploads.stop();
    await vi.waitFor(() => expect(settled).toHaveBeenCalled(), WAIT_MS);
    expect(givenUp.mock.calls).toEqual([[[7]]]);
    expect(uploads.failed.value.map(({ id, error }) => [id, error])).toEqual([
      [null, 'Stopped.'],
      [8, 'Stopped.'],
    ]);
  });

  it('are ended and forgotten without a word to the panel when their user leaves', async () => {
    const { uploads, settled, givenUp } = setUp(
      (_upload, tell, signal) =>
        new Promise((_, reject) => {
          tell({ id: 7, sent: 5, state: 'unpacking' });
          signal.addEventListener('abort', () => reject(new Error('aborted')));
        }),
    );
    uploads.add(chosen('a', 'b', 'c', 'd'));
    uploads.leave();
    await vi.waitFor(() => expect(settled).toHaveBeenCalled(), WAIT_MS);
    expect(uploads.uploads).toEqual([]);
    expect(uploads.busy.value).toBe(false);
    expect(givenUp).not.toHaveBeenCalled();
  });

  it('have no end in sight while an archive is only unpacked', async () => {
    const unpacked: (() => void)[] = [];
    const { uploads } = setUp(async ({ file, path }, tell) => {
      if (path !== 'cfg/pack.zip') return;
      tell({ sent: file.size, state: 'unpacking' });
      await new Promise<void>((resolve) => unpacked.push(resolve));
    });
    uploads.add(chosen('pack.zip', 'a'));
    await vi.waitFor(() => expect(uploads.done.value).toBe(1), WAIT_MS);
    expect(uploads.percent.value).toBeNull();
    expect(uploads.unpacking.value.map(({ path }) => path)).toEqual(['cfg/pack.zip']);
    expect(uploads.busy.value).toBe(true);
    for (const done of unpacked) done();
    await vi.waitFor(() => expect(uploads.busy.value).toBe(false), WAIT_MS);
    expect(uploads.percent.value).toBe(100);
  });
});

describe('chosen files', () => {
  it('are archives by their name', () => {
    for (const name of ['pack.zip', 'PACK.ZIP', 'a.tar', 'a.tgz', 'a.tar.gz', 'a.tar.bz2', 'a.tar.xz', 'a.tar.zst'])
      expect(isArchive(name)).toBe(true);
    for (const name of ['a.vpk', 'a.gz', 'zip', 'tar.txt']) expect(isArchive(name)).toBe(false);
  });

  it('keep the folder they were chosen with', () => {
    const file = new File([''], 'a.cfg');
    Object.defineProperty(file, 'webkitRelativePath', { value: 'pack/cfg/a.cfg' });
    const plain = new File([''], 'b.cfg');
    const list = [file, plain];
    expect(fromPicker(list, 'left4dead2').map((item) => item.path)).toEqual([
      'left4dead2/pack/cfg/a.cfg',
      'left4dead2/b.cfg',
    ]);
    expect(fromPicker(list, '').map((item) => item.path)).toEqual(['pack/cfg/a.cfg', 'b.cfg']);
  });
});
