import { mkdir, readdir, readFile, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WantedItem } from '../src/index.js';
import { DownloadCache } from '../src/workshop/download-cache.js';
import { LocalWorkshop } from '../src/workshop/local-workshop.js';
import { SteamWebApi } from '../src/workshop/steam-web-api.js';
import { eventually, makeRoot, openTestHost, recordingRun } from './support/fixture.js';
import { StandInWorkshop, vpk } from './support/stand-in-workshop.js';

let steam: StandInWorkshop;
beforeAll(async () => {
  steam = await StandInWorkshop.start();
});
afterAll(() => steam.stop());

const backOff = { firstMs: 1, mostMs: 2 };
/** A busy machine brings nothing for a while, too: only what is about stalls waits for one. */
const NO_STALL_MS = 60_000;
let lastId = 100;
const newId = (): string => String(++lastId);

async function openWorkshop(
  options: { root?: string; downloads?: number; reserveBytes?: number; stallMs?: number } = {},
) {
  const root = options.root ?? (await makeRoot());
  const { downloads = 3, reserveBytes = 0, stallMs = NO_STALL_MS } = options;
  const limits = { stallMs, fruitless: 3, backOff };
  const cache = new DownloadCache(join(root, 'cache/workshop'), { downloads, limits, reserveBytes });
  const api = new SteamWebApi({ url: steam.url, backOff, attempts: 3, callMs: 60_000 });
  const cached = (id: string): string => join(root, 'cache/workshop', id);
  /** Resolves when so many bytes of an item are in its unfinished file. */
  const taken = (id: string, bytes: number): Promise<true> =>
    eventually(async () => {
      const part = (await readdir(cached(id)).catch(() => [])).find((name) => name.endsWith('.part'));
      return part !== undefined && (await stat(join(cached(id), part))).size === bytes;
    });
  return { root, cache, workshop: new LocalWorkshop(api, cache), cached, taken };
}

/** Comparing large buffers by their elements takes seconds. */
async function expectContent(path: string, content: Buffer): Promise<void> {
  expect((await readFile(path)).equals(content)).toBe(true);
}

/** What a build would ask for. */
async function wanted(workshop: LocalWorkshop, ...ids: string[]): Promise<WantedItem[]> {
  const files = await workshop.lookUp(ids, recordingRun().run);
  return files.map(({ id, title, version, bytes, fileUrl }) => {
    if (version === null || bytes === null || fileUrl === null) throw new Error(`${id} has no file`);
    return { id, title, version, bytes, fileUrl, fileName: `${id}.vpk` };
  });
}

/** Goes the whole way to a request for a file, which a download that began before has been to by then. */
async function askAfter(): Promise<void> {
  const { workshop } = await openWorkshop();
  const id = newId();
  steam.item(id).mishaps.push({ status: 404 });
  const { unavailable } = await workshop.fetch(await wanted(workshop, id), recordingRun().run);
  expect(unavailable).toHaveLength(1);
}

describe('a download', () => {
  it('goes on where it was cut, as often as it is', async () => {
    const { workshop, taken } = await openWorkshop();
    const id = newId();
    const content = vpk('a map', 400_000);
    steam
      .item(id, content)
      .mishaps.push(
        { cutAfter: 100_000, onceTaken: () => taken(id, 100_000) },
        { status: 503 },
        { cutAfter: 100_000, onceTaken: () => taken(id, 200_000) },
        { cutAfter: 1, onceTaken: () => taken(id, 200_001) },
      );
    const { files, unavailable } = await workshop.fetch(await wanted(workshop, id), recordingRun().run);
    expect(unavailable).toEqual([]);
    await expectContent(files[0]?.from ?? '', content);
    const from = [100_000, 100_000, 200_000, 200_001];
    expect(steam.downloads.filter((line) => line.startsWith(id))).toEqual([
      id,
      ...from.map((byte) => `${id} from ${byte}`),
    ]);
  });

  it('begins anew where the range is ignored', async () => {
    const { workshop, taken } = await openWorkshop();
    const id = newId();
    const content = vpk('a map', 200_000);
    steam.item(id, content).mishaps.push({ cutAfter: 50_000, onceTaken: () => taken(id, 50_000) }, 'range ignored');
    const { files } = await workshop.fetch(await wanted(workshop, id), recordingRun().run);
    await expectContent(files[0]?.from ?? '', content);
    expect(steam.downloads.filter((line) => line.startsWith(id))).toEqual([id, `${id} from 50000`]);
  });

  it('that stalls is continued; one that brings nothing more fails, for now', async () => {
    // Long enough that the rest, which comes at once, comes within it on any machine.
    const { workshop } = await openWorkshop({ stallMs: 1_500 });
    const id = newId();
    const published = steam.item(id, vpk('a map', 100_000));
    published.mishaps.push({ stallAfter: 30_000 });
    await workshop.fetch(await wanted(workshop, id), recordingRun().run);
    expect(steam.downloads.filter((line) => line.startsWith(id))).toEqual([id, `${id} from 30000`]);
    const { workshop: impatient } = await openWorkshop({ stallMs: 150 });
    const other = newId();
    steam.item(other).mishaps.push(...Array.from({ length: 3 }, () => ({ stallAfter: 0 })));
    await expect(impatient.fetch(await wanted(impatient, other), recordingRun().run)).rejects.toThrow(
      `Item ${other} (${other}): its download does not get on: nothing came for 0.15 s`,
    );
  });

  it.each<[string, (id: string) => void, string]>([
    [
      'another size',
      (id) => steam.item(id, vpk('x'), { file_size: '5' }),
      'not what Steam describes: 5 bytes are announced',
    ],
    [
      'no VPK',
      (id) => steam.item(id, '<html>404</html>'),
      'not a VPK that the game can read: it does not begin like a VPK',
    ],
    [
      'a VPK that is cut off',
      (id) => steam.item(id, vpk('x', 100).subarray(0, 100)),
      'lies beyond the end of the file',
    ],
    ['gone', (id) => steam.item(id).mishaps.push({ status: 404 }), 'cannot be had: 127.0.0.1'],
  ])('with %s is named, leaves nothing behind and stops no other', async (_what, make, problem) => {
    const { workshop, cached } = await openWorkshop();
    const [bad, good] = [newId(), newId()];
    make(bad);
    steam.item(good);
    const { files, unavailable } = await workshop.fetch(await wanted(workshop, bad, good), recordingRun().run);
    expect(unavailable).toEqual([{ id: bad, problem: expect.stringContaining(problem) as string }]);
    expect(files.map(({ path }) => path)).toEqual([`left4dead2/addons/${good}.vpk`]);
    expect(await readdir(cached(bad))).toEqual([]);
  });

  it('that was interrupted is continued by the next build, and begun anew where its part was damaged', async () => {
    const { root, workshop, taken } = await openWorkshop();
    const [whole, damaged] = [newId(), newId()];
    for (const id of [whole, damaged]) steam.item(id, vpk(id, 100_000)).mishaps.push({ stallAfter: 40_000 });
    const control = new AbortController();
    const { run } = recordingRun(control.signal);
    const items = await wanted(workshop, whole, damaged);
    const building = workshop.fetch(items, run);
    await Promise.all([taken(whole, 40_000), taken(damaged, 40_000)]);
    control.abort();
    await expect(building).rejects.toThrow('interrupted');
    const part = `${items.find(({ id }) => id === damaged)?.version}.part`;
    await writeFile(join(root, 'cache/workshop', damaged, part), Buffer.alloc(40_000, 'x'));
    const again = await openWorkshop({ root });
    const { files } = await again.workshop.fetch(items, recordingRun().run);
    await expectContent(files[0]?.from ?? '', vpk(whole, 100_000));
    await expectContent(files[1]?.from ?? '', vpk(damaged, 100_000));
    expect(steam.downloads.filter((line) => line.startsWith(whole))).toEqual([whole, `${whole} from 40000`]);
    expect(steam.downloads.filter((line) => line.startsWith(damaged))).toEqual([
      damaged,
      `${damaged} from 40000`,
      damaged,
    ]);
  });

  it('is made once for all builds that want it, and no more go on at once than are allowed', async () => {
    const { workshop } = await openWorkshop({ downloads: 2 });
    const ids = Array.from({ length: 6 }, newId);
    let send = (): void => undefined;
    const heldUntil = new Promise<void>((resolve) => (send = resolve));
    for (const id of ids) steam.item(id).mishaps.push({ heldUntil });
    const items = await wanted(workshop, ...ids);
    steam.mostAtOnce = 0;
    const fetching = [1, 2, 3].map(() => workshop.fetch(items, recordingRun().run));
    await eventually(async () => steam.sending >= 2);
    await askAfter();
    send();
    const results = await Promise.all(fetching);
    expect(results[1]).toEqual(results[0]);
    for (const id of ids) expect(steam.downloads.filter((line) => line.startsWith(id))).toEqual([id]);
    expect(steam.mostAtOnce).toBe(2);
  });

  it('does not begin when it would fill the disk', async () => {
    const { workshop, cached } = await openWorkshop({ reserveBytes: 1e18 });
    const id = newId();
    steam.item(id);
    await expect(workshop.fetch(await wanted(workshop, id), recordingRun().run)).rejects.toThrow(
      'The disk has no room',
    );
    await expect(readdir(cached(id))).rejects.toThrow('ENOENT');
  });

  it('is said and counted', async () => {
    const { workshop } = await openWorkshop({ downloads: 1 });
    const ids = [newId(), newId()];
    for (const id of ids) steam.item(id, vpk(id, 50_000));
    const { run, said } = recordingRun();
    const told: [number | null, string | undefined][] = [];
    run.output.progress = (percent, text) => void told.push([percent, text]);
    await workshop.fetch(await wanted(workshop, ...ids), run);
    const [first, ...downloaded] = said;
    expect(first).toBe(
      '0 of 2 items are on this machine; 2 (0.1 MB) are downloaded. A build that is cut goes on there.',
    );
    // One after the other, but which one comes first is nobody's promise.
    expect(downloaded.toSorted()).toEqual(ids.map((id) => `Downloaded Item ${id} (${id}), 0.1 MB.`));
    expect(told.at(0)?.[1]).toBe('0 of 2 items');
    expect(told.at(-1)).toEqual([100, '2 of 2 items']);
    const percents = told.map(([percent]) => percent ?? 0);
    expect(percents).toEqual(percents.toSorted((left, right) => left - right));
  });
});

describe('the cache', () => {
  it('shares each file with the revisions, which are as if they had been copied', async () => {
    const { host, root, run } = await openTestHost();
    const { workshop, cached } = await openWorkshop({ root });
    const [one, two] = [newId(), newId()];
    const content = vpk('a map', 100_000);
    steam.item(one, content);
    const { files: linked } = await workshop.fetch(await wanted(workshop, one), run);
    const first = await host.publish({ overlay: 5, revision: 1, linked }, run);
    expect(await host.publish({ overlay: 5, revision: 2, previous: 1, linked }, run)).toEqual({
      ...first,
      unchanged: true,
    });
    steam.item(two);
    const { files: both } = await workshop.fetch(await wanted(workshop, one, two), run);
    await host.publish({ overlay: 5, revision: 2, previous: 1, linked: both }, run);
    const [file] = (await readdir(cached(one))).filter((name) => name.endsWith('.vpk'));
    const kept = await stat(join(cached(one), file ?? ''));
    for (const revision of [1, 2]) {
      const shared = await stat(join(root, `overlays/5/${revision}/left4dead2/addons/${one}.vpk`));
      expect([shared.ino, shared.nlink]).toEqual([kept.ino, 3]);
    }
    // The same tree, copied from a draft
    const draft = join(root, 'drafts/5/left4dead2/addons');
    await mkdir(draft, { recursive: true });
    await writeFile(join(draft, `${one}.vpk`), content);
    expect(await host.publish({ overlay: 5, revision: 3 }, run)).toEqual(first);
  });

  it('forgets what nothing shares and nobody wanted for a month, and nothing else', async () => {
    const { host, root, run } = await openTestHost();
    const { workshop, cached } = await openWorkshop({ root });
    const [used, recent, old] = [newId(), newId(), newId()];
    for (const id of [used, recent, old]) steam.item(id);
    const { files } = await workshop.fetch(await wanted(workshop, used, recent, old), run);
    await host.publish({ overlay: 6, revision: 1, linked: files.slice(0, 1) }, run);
    const long = new Date(Date.now() - 40 * 24 * 3600_000);
    for (const id of [used, old]) {
      for (const name of await readdir(cached(id))) await utimes(join(cached(id), name), long, long);
    }
    const { run: collecting, said } = recordingRun();
    await workshop.collect(collecting);
    expect(said).toEqual([`Removed downloads that nothing uses any more: ${old}.`]);
    expect((await readdir(join(root, 'cache/workshop'))).toSorted()).toEqual([used, recent]);
    await host.removeRevision(6, 1);
    await workshop.collect(collecting);
    expect(await readdir(join(root, 'cache/workshop'))).toEqual([recent]);
  });

  it('reads a file again whose hash was lost, and downloads one that was cut off', async () => {
    const { workshop, cached } = await openWorkshop();
    const id = newId();
    steam.item(id, vpk(id, 1000));
    const items = await wanted(workshop, id);
    const first = await workshop.fetch(items, recordingRun().run);
    const names = await readdir(cached(id));
    await writeFile(join(cached(id), names.find((name) => name.endsWith('.json')) ?? ''), 'torn');
    expect(await workshop.fetch(items, recordingRun().run)).toEqual(first);
    expect(steam.downloads.filter((line) => line.startsWith(id))).toEqual([id]);
    await truncate(first.files[0]?.from ?? '', 10);
    expect(await workshop.fetch(items, recordingRun().run)).toEqual(first);
    expect(steam.downloads.filter((line) => line.startsWith(id))).toEqual([id, id]);
  });
});
