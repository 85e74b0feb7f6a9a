import { describe, expect, it } from 'vitest';
import type { Layer, OwnSize } from './schema';
import { deletionWords, isPrecious, layerName, layerNames, looksLikeText, sizeWords, whyKept } from './words';

const none = { overlayId: null, overlayName: null, revision: null, build: null };
const game: Layer = { ...none, kind: 'game', build: '123' };
const maps: Layer = { ...none, kind: 'overlay', overlayId: 3, overlayName: 'maps', revision: 2 };

describe('words about layers', () => {
  it('name each, also an overlay that one may not see', () => {
    expect([game, maps, { ...none, kind: 'own' } as const].map(layerName)).toEqual([
      'the game',
      'overlay maps',
      'the server',
    ]);
    expect(layerName({ ...maps, overlayName: null })).toBe('overlay 3');
    expect(layerName({ ...none, kind: 'generated' })).toBe('the blueprint');
  });

  it('name several together', () => {
    expect(layerNames([])).toBe('');
    expect(layerNames([game])).toBe('the game');
    expect(layerNames([maps, { ...maps, overlayName: 'more' }, game])).toBe('overlay maps, overlay more and the game');
  });
});

describe('words about a deletion', () => {
  const size: OwnSize = { files: 1, bytes: 12, complete: true, kept: { files: 0, paths: [] } };

  it('say of a folder that layers have as well that only a part of it goes', () => {
    expect(deletionWords({ name: 'cfg', type: 'directory', merged: true })).toBe(
      'Delete what the server wrote below cfg',
    );
    expect(deletionWords({ name: 'cfg', type: 'directory', merged: false })).toBe('Delete cfg');
  });

  it('say how much it is, and whether something precious may be among it', () => {
    expect([sizeWords(size), isPrecious(size)]).toEqual(['1 file, 12 B', false]);
    const most = { ...size, files: 200_000, complete: false };
    expect([sizeWords(most), isPrecious(most)]).toEqual(['more than 200,000 files, 12 B', true]);
    expect(isPrecious({ ...size, kept: { files: 1, paths: ['bans.sq3'] } })).toBe(true);
  });
});

describe('whether files can be deleted', () => {
  it('depends on the server, with the reason', () => {
    expect(whyKept({ name: 'a', actualState: 'stopped', job: null })).toBeNull();
    expect(whyKept({ name: 'a', actualState: 'failed', job: null })).toBeNull();
    expect(whyKept({ name: 'a', actualState: 'running', job: null })).toContain('is running');
  });
});

it('text is told by its name', () => {
  const names = ['errors_20260101.LOG', 'server.cfg', 'motd.html', 'README', 'a.vpk', 'demo.DEM', 'clients.sq3'];
  expect(names.filter((name) => !looksLikeText(name))).toEqual(['a.vpk', 'demo.DEM', 'clients.sq3']);
});
