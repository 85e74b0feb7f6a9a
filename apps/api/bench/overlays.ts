import { lstat, readdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench } from './bench.js';
import { type Figure, figure } from './figure.js';
import { OverlayPanel } from './overlays/overlay-panel.js';
import { median } from './statistics.js';

const SERVERS = 20;
const ROUNDS = 7;
const COPIES = 3;
const MB = 1e6;

/** What an overlay of 500 MB costs each server that uses it, against a copy of it: disk, and time to start. */
export async function overlays({ services, say }: Bench): Promise<Figure[]> {
  const place = await services.place();
  say('overlays, making one of 500 MB');
  const panel = await OverlayPanel.start(place, services.folder);
  try {
    const overlay = await used(panel.revision);
    const starts = await startTimes(panel, say);
    say(`overlays, starting ${SERVERS} servers`);
    const grown = await growth(panel);
    say('overlays, copying');
    const copies: number[] = [];
    for (let n = 0; n < COPIES; n += 1) copies.push(await panel.copy());
    const copy = { name: 'a copy of the overlay', value: overlay / MB };
    return [
      figure('disk per server, its own files', grown.files / SERVERS / MB, 'MB', copy, { of: 'value', atMost: 5 }),
      figure('disk per server, by what is free', grown.free / SERVERS / MB, 'MB', copy, null),
      figure(
        'start with the overlay',
        median(starts.with),
        'ms',
        { name: 'without it', value: median(starts.without) },
        null,
      ),
      figure(
        'longer start with the overlay',
        median(starts.with.map((took, round) => took - (starts.without[round] ?? 0))),
        'ms',
        { name: 'copying it', value: median(copies) },
        { of: 'value', atMost: 300 },
      ),
    ];
  } finally {
    await panel.close();
    await place.remove();
  }
}

/** Of a server with the overlay and one without, in turns, in ms. */
async function startTimes(panel: OverlayPanel, say: Bench['say']): Promise<{ with: number[]; without: number[] }> {
  const one = await panel.server('with', await panel.blueprint('one with', [panel.overlayId]));
  const other = await panel.server('without', await panel.blueprint('one without', []));
  const took = { with: [] as number[], without: [] as number[] };
  for (let round = 0; round <= ROUNDS; round += 1) {
    say(round === 0 ? 'overlays, warming up' : `overlays, round ${round} of ${ROUNDS}`);
    const pair = [await panel.do('start', one), await panel.do('start', other)] as const;
    await panel.do('stop', one);
    await panel.do('stop', other);
    if (round === 0) continue;
    took.with.push(pair[0]);
    took.without.push(pair[1]);
  }
  return took;
}

/** Bytes by which the disk has grown when that many servers run on one blueprint: of their own files, and of everything there is. */
async function growth(panel: OverlayPanel): Promise<{ files: number; free: number }> {
  const blueprint = await panel.blueprint('twenty', [panel.overlayId]);
  const servers: number[] = [];
  for (let n = 1; n <= SERVERS; n += 1) servers.push(await panel.server(`s${n}`, blueprint));
  const instances = join(panel.root, 'instances');
  const before = [await used(instances), await free(panel.root)] as const;
  await Promise.all(servers.map((id) => panel.do('start', id)));
  return { files: (await used(instances)) - before[0], free: before[1] - (await free(panel.root)) };
}

async function free(folder: string): Promise<number> {
  const { bfree, bsize } = await statfs(folder);
  return bfree * bsize;
}

/** What a folder takes on the disk. */
async function used(folder: string): Promise<number> {
  let bytes = (await lstat(folder)).blocks * 512;
  for (const entry of await entriesOf(folder)) {
    const path = join(folder, entry.name);
    bytes += entry.isDirectory() ? await used(path) : (await lstat(path)).blocks * 512;
  }
  return bytes;
}

async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    // The kernel's own folder of a mount, always empty, is closed to all but root.
    if (error instanceof Error && 'code' in error && error.code === 'EACCES') return [];
    throw error;
  }
}
