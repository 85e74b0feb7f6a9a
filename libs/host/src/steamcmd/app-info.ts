import { buildName } from '../instances/names.js';
import { type KeyValues, nodeAt, parseKeyValues, textAt } from './key-values.js';

/** Left 4 Dead 2 Dedicated Server. */
export const APP_ID = '222860';

/** What Steam has for everybody. */
export interface PublicBuild {
  build: string;
  /** Of all its files, for both platforms; null when Steam does not say. */
  bytes: number | null;
}

/** Of an installed game, in steamapps/appmanifest_<app>.acf. */
export interface InstalledApp {
  build: string;
  /** Steam has nothing more to do with it. */
  complete: boolean;
}

/** EAppState, https://steamdb.info/app/480/ and Valve's clients: 4 fully installed, 2 update required. */
const FULLY_INSTALLED = 4;
const UPDATE_REQUIRED = 2;

/**
 * Reads the answer to `app_info_print`. Null when it has none: since November 2024 steamcmd often prints `No app info … found,
 * requesting…`, or an empty block, and has it only the next time.
 */
export function parseAppInfo(output: readonly string[]): PublicBuild | null {
  const start = output.findIndex((line) => line.trim() === `"${APP_ID}"`);
  if (start < 0) return null;
  const app = nodeAt(parseKeyValues(output.slice(start).join('\n')), APP_ID);
  const build = numberedBuild(textAt(app, 'depots', 'branches', 'public', 'buildid'));
  return build === null ? null : { build, bytes: depotBytes(nodeAt(app, 'depots')) };
}

/** Reads an appmanifest; null when it does not tell a build. */
export function parseAppManifest(text: string): InstalledApp | null {
  const app = nodeAt(parseKeyValues(text), 'AppState');
  const build = numberedBuild(textAt(app, 'buildid'));
  if (build === null) return null;
  const flags = Number(textAt(app, 'StateFlags') ?? FULLY_INSTALLED);
  return { build, complete: (flags & FULLY_INSTALLED) !== 0 && (flags & UPDATE_REQUIRED) === 0 };
}

/** Build ids are numbers; 0 is what an app has that was never installed. */
function numberedBuild(build: string | null): string | null {
  return build !== null && /^[1-9][0-9]*$/.test(build) ? buildName(build) : null;
}

/** The sum of `depots/<id>/manifests/public/size`. */
function depotBytes(depots: KeyValues | undefined): number | null {
  if (depots === undefined || typeof depots === 'string') return null;
  const sizes = [...depots.values()].map((depot) => Number(textAt(depot, 'manifests', 'public', 'size') ?? 0));
  const bytes = sizes.filter((size) => Number.isFinite(size)).reduce((sum, size) => sum + size, 0);
  return bytes > 0 ? bytes : null;
}
