import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { lookUp } from '../src/workshop/look-up.js';
import { SteamWebApi } from '../src/workshop/steam-web-api.js';
import { SteamAway } from '../src/workshop/workshop-errors.js';
import { StandInWorkshop } from './support/stand-in-workshop.js';

let steam: StandInWorkshop;
let api: SteamWebApi;
const { signal } = new AbortController();
const backOff = { firstMs: 1, mostMs: 2 };

beforeAll(async () => {
  steam = await StandInWorkshop.start();
  api = new SteamWebApi({ url: `${steam.url}/`, attempts: 3, callMs: 60_000, backOff });
});
afterAll(() => steam.stop());
afterEach(() => {
  steam.published.clear();
  steam.calls.length = 0;
});

async function problemOf(id: string): Promise<string | null | undefined> {
  return (await lookUp([id], api, signal))[0]?.problem;
}

describe('looking items up', () => {
  it('tells what Steam says of them, in calls of 50', async () => {
    const ids = Array.from({ length: 120 }, (_, n) => String(1000 + n));
    for (const id of ids) steam.item(id);
    const files = await lookUp(ids, api, signal);
    expect(files.map(({ id }) => id)).toEqual(ids);
    expect(files[0]).toEqual({
      id: '1000',
      kind: 'item',
      title: 'Item 1000',
      bytes: steam.published.get('1000')?.content?.length,
      previewUrl: 'https://images.steamusercontent.com/ugc/1000/',
      updatedAt: '2023-11-14T22:13:21.000Z',
      version: '1700000001-900000000000001000',
      fileUrl: `${steam.url}/ugc/1000`,
      members: [],
      problem: null,
      temporary: false,
    });
    expect(steam.calls.map((call) => call.ids.length)).toEqual([50, 50, 20]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['of another game', { consumer_app_id: 4000 }, 'it is for another game (Steam app 4000)'],
    ['of no game', { consumer_app_id: undefined }, 'Steam does not say which game it is for'],
    ['banned', { banned: true, ban_reason: 'virus' }, 'Steam has banned it: virus'],
    ['without a download', { file_url: '' }, 'Steam offers no download of it'],
    ['with a link that is none', { file_url: 'file:///etc/passwd' }, 'Steam offers no download of it'],
    ['without a size', { file_size: '0' }, 'Steam does not say how large its file is'],
    ['larger than a VPK can be', { file_size: 9e12 }, 'its file is larger than 4294967296 bytes'],
    ['hidden', { result: 9 }, 'it does not exist, or was removed or hidden by its author'],
    ['private', { result: 15 }, 'its author lets nobody else see it'],
    ['with a result that nobody knows', { result: 42 }, 'Steam answers with result 42'],
    ['without a result', { result: null }, 'Steam answers with no result'],
  ])('names the reason of one %s', async (_what, fields, problem) => {
    steam.item('7', undefined, fields);
    expect(await problemOf('7')).toBe(problem);
  });

  it('takes numbers as strings and strings as numbers, and titles without control characters', async () => {
    steam.item('7', undefined, {
      file_size: 12,
      time_updated: '1700000000',
      consumer_app_id: '550',
      title: ' a\u0000\nb ',
    });
    const [file] = await lookUp(['7'], api, signal);
    expect(file).toMatchObject({ bytes: 12, updatedAt: '2023-11-14T22:13:20.000Z', title: 'a b', problem: null });
    steam.item('9', undefined, { title: `${'a'.repeat(299)}\u{1f9df}`, preview_url: 'https://example.org/\ud83d' });
    const [cut] = await lookUp(['9'], api, signal);
    expect(cut?.title?.isWellFormed()).toBe(true);
    expect(cut?.previewUrl).toBe('https://example.org/%EF%BF%BD');
    steam.item('8', undefined, { time_updated: 9e15, title: 5, preview_url: 'javascript:alert(1)' });
    expect((await lookUp(['8'], api, signal))[0]).toMatchObject({ updatedAt: null, title: null, previewUrl: null });
  });

  it.each([2, 10, 16, 20, 84])(
    'asks again for one that Steam answers with result %d for, never taking it for missing',
    async (result) => {
      for (const id of ['7', '8']) steam.item(id);
      steam.results.set('7', [result, result]);
      expect((await lookUp(['7', '8'], api, signal)).map(({ problem }) => problem)).toEqual([null, null]);
      expect(steam.calls.map(({ ids }) => ids)).toEqual([['7', '8'], ['7'], ['7']]);
      steam.results.set('7', [result, result, result]);
      expect((await lookUp(['7'], api, signal))[0]).toMatchObject({
        temporary: true,
        problem: expect.any(String) as string,
      });
    },
  );

  it('outlives calls that fail, and says why it gave up', async () => {
    steam.item('7');
    steam.failures.push(503, 429);
    expect(await problemOf('7')).toBeNull();
    steam.failures.push(502, 502, 502);
    await expect(lookUp(['7'], api, signal)).rejects.toThrow(/^Steam's Workshop cannot be asked: .* answers 502$/);
    steam.failures.push(403);
    await expect(lookUp(['7'], api, signal)).rejects.toThrow(/answers 403$/);
    expect(steam.failures).toEqual([]);
    const nowhere = new SteamWebApi({ url: 'http://127.0.0.1:65534', attempts: 1 });
    await expect(lookUp(['7'], nowhere, signal)).rejects.toThrow(
      'this machine needs a way to 127.0.0.1:65534: look at its network and name resolution',
    );
    const away = new SteamWebApi({ url: 'http://127.0.0.1:1', attempts: 2, backOff });
    await expect(lookUp(['7'], away, signal)).rejects.toThrow(SteamAway);
  });

  it('ends when it is interrupted', async () => {
    const control = new AbortController();
    const slow = new SteamWebApi({
      url: 'http://127.0.0.1:1',
      attempts: 1000,
      backOff: { firstMs: 60_000, mostMs: 60_000 },
    });
    const looking = lookUp(['7'], slow, control.signal);
    setTimeout(() => control.abort(), 30);
    await expect(looking).rejects.toThrow('asking Steam was interrupted');
  });
});

describe('collections', () => {
  it('are followed to every item once, whatever leads to what', async () => {
    for (let round = 0; round < 25; round++) {
      steam.published.clear();
      const random = seeded(round);
      const names = (kind: string, count: number) => Array.from({ length: count }, (_, n) => `${kind}${n + 1}`);
      const items = names('1', 1 + Math.floor(random() * 8));
      const collections = names('2', 1 + Math.floor(random() * 6));
      for (const id of items) steam.item(id);
      const inside = new Map(collections.map((id) => [id, [...items, ...collections].filter(() => random() < 0.3)]));
      for (const [id, members] of inside) steam.collection(id, members, random() < 0.5 ? {} : { file_type: undefined });
      const roots = collections.slice(0, 2);
      steam.calls.length = 0;
      const files = await lookUp(roots, api, signal, { depth: 50, files: 100, members: 1000 });
      const reachable = closure(roots, inside);
      expect(files.map(({ id }) => id).toSorted(), `round ${round}`).toEqual([...reachable].toSorted());
      for (const file of files) expect(file.members).toEqual(inside.get(file.id) ?? []);
      const asked = steam.calls.filter(({ method }) => method === 'GetPublishedFileDetails').flatMap(({ ids }) => ids);
      expect(asked).toHaveLength(new Set(asked).size);
    }
  });

  it('that cannot be read say why, and for how long', async () => {
    steam.collection('20', []);
    expect((await lookUp(['20'], api, signal))[0]).toMatchObject({ kind: 'collection', problem: null });
    steam.item('21', '', { file_type: 2, file_url: '' });
    expect((await lookUp(['21'], api, signal))[0]).toMatchObject({
      kind: 'collection',
      temporary: false,
      problem: 'what is in it cannot be read: it does not exist, or was removed or hidden by its author',
    });
  });

  it('have limits in depth and in number', async () => {
    for (let n = 1; n <= 5; n++) steam.collection(String(n), [String(n + 1)]);
    steam.item('6');
    await expect(lookUp(['1'], api, signal, { depth: 4, files: 100, members: 100 })).rejects.toThrow(
      'more than 4 deep',
    );
    await expect(lookUp(['1'], api, signal, { depth: 9, files: 5, members: 100 })).rejects.toThrow('more than 5 items');
    await expect(lookUp(['1'], api, signal, { depth: 9, files: 9, members: 4 })).rejects.toThrow('too many items');
    expect(await lookUp(['1'], api, signal, { depth: 5, files: 6, members: 5 })).toHaveLength(6);
  });
});

function closure(roots: readonly string[], inside: ReadonlyMap<string, string[]>): Set<string> {
  const seen = new Set<string>();
  const visit = (id: string): void => {
    if (seen.has(id)) return;
    seen.add(id);
    for (const member of inside.get(id) ?? []) visit(member);
  };
  for (const root of roots) visit(root);
  return seen;
}

/** The same numbers in every run: mulberry32. */
function seeded(seed: number): () => number {
  let state = seed + 1;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
