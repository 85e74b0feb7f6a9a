import { expect, it } from 'vitest';
import { KeptFiles } from '../yielding/kept-files.js';
import type { LayeredEntry, MergedTree } from './merged-tree.js';
import { ownSizeIn } from './own-size.js';

/** A server's tree that has no end, of demos and one database. */
const endless: Pick<MergedTree, 'entry' | 'walk'> = {
  entry: async () => null,
  walk: async function* (_path, signal) {
    for (let n = 0; ; n++) {
      signal?.throwIfAborted();
      yield demo(n === 100 ? 'late.sq3' : `${n}.dem`);
    }
  },
};

function demo(path: string): LayeredEntry {
  const about = { modifiedAt: '2026-01-01T00:00:00.000Z', target: null, hides: [], merged: false };
  return { ...about, name: path, path, type: 'file', size: 1, layer: { kind: 'own', of: null } };
}

it('counting ends somewhere, says so, and names a database rather than one more demo', async () => {
  const { files, bytes, complete, kept } = await ownSizeIn(endless, '', new KeptFiles(['*.sq3', '*.dem']));
  expect({ complete, paths: kept.paths }).toEqual({
    complete: false,
    paths: ['late.sq3', '0.dem', '1.dem', '2.dem', '3.dem'],
  });
  expect([bytes, kept.files]).toEqual([files, files]);
  expect(files).toBeGreaterThan(0);
  expect(files).toBeLessThanOrEqual(200_000);
});

it('counting ends with its signal', async () => {
  await expect(ownSizeIn(endless, '', new KeptFiles([]), AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
});
