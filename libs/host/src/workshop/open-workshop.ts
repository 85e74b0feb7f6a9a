import { join } from 'node:path';
import type { HostOptions } from '../host.js';
import { DOWNLOAD_LIMITS } from './download.js';
import { DownloadCache } from './download-cache.js';
import { LocalWorkshop } from './local-workshop.js';
import { SteamWebApi } from './steam-web-api.js';

/** What downloads leave free on the disk: servers write there, too. */
const RESERVE_BYTES = 1e9;

/** The Workshop for the machine below `root`. */
export function openWorkshop(
  root: string,
  { url, downloads }: NonNullable<HostOptions['workshop']> = { url: 'https://api.steampowered.com', downloads: 4 },
): LocalWorkshop {
  const limits = { downloads, limits: DOWNLOAD_LIMITS, reserveBytes: RESERVE_BYTES };
  return new LocalWorkshop(new SteamWebApi({ url }), new DownloadCache(join(root, 'cache', 'workshop'), limits));
}
