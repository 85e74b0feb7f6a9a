import { describe, expect, it } from 'vitest';
import type { Layer } from './schema';
import { hidesWords, layerName, looksLikeText, whyKept } from './words';

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
  });

  it('say what is hidden', () => {
    expect(hidesWords([])).toBe('');
    expect(hidesWords([game])).toBe('hides the game');
    expect(hidesWords([maps, { ...maps, overlayName: 'more' }, game])).toBe(
      'hides overlay maps, overlay more and the game',
    );
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
  expect(['errors_20260101.LOG', 'server.cfg', 'a.vpk', 'srcds_linux'].map(looksLikeText)).toEqual([
    true,
    true,
    false,
    false,
  ]);
});
