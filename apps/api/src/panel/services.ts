import { constants } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { RunningSettings, Settings } from '../config/settings.js';
import { WrongSettings } from '../config/settings.js';
import { type Embedded, startEmbedded } from '../embedded/embedded.js';
import { lockState, type StateLock } from '../embedded/state-lock.js';

/** What a command of left4me runs on: the services given, or the embedded ones. */
export interface PanelServices {
  settings: Omit<RunningSettings, 'port' | 'secretKey'>;
  /** Resolves with a name when an embedded service ends by itself; never when all are given. */
  failed: Promise<string>;
  stop(): Promise<void>;
}

/**
 * Starts what is not given. Whoever starts services or serves the host of a state folder has it to themselves; a process that only
 * answers requests may share it.
 * @throws StateLocked when another panel runs on the folder; EmbeddedError when a service cannot be had here
 */
export async function openServices(settings: Settings, report: (line: string) => void): Promise<PanelServices> {
  const needs = { postgres: settings.databaseUrl === null, redis: settings.redisUrl === null };
  const starts = needs.postgres || needs.redis;
  const owns = starts || settings.workerEnabled;
  // A process that only answers requests may be a user of its own, to whom nothing but the drafts belongs.
  await makeWritable(owns ? settings.root : path.join(settings.root, 'drafts'));
  const lock = owns ? await lockState(settings.root) : null;
  try {
    const embedded = starts ? await startEmbedded({ root: settings.root, report, needs }) : null;
    try {
      return await servicesOf(settings, embedded, lock);
    } catch (error) {
      await embedded?.stop();
      throw error;
    }
  } catch (error) {
    await lock?.release();
    throw error;
  }
}

async function servicesOf(
  settings: Settings,
  embedded: Embedded | null,
  lock: StateLock | null,
): Promise<PanelServices> {
  const databaseUrl = settings.databaseUrl ?? embedded?.databaseUrl;
  const redisUrl = settings.redisUrl ?? embedded?.redisUrl;
  if (databaseUrl === undefined || redisUrl === undefined) throw new WrongSettings('No database or Redis was started.');
  return {
    settings: { ...settings, databaseUrl, redisUrl },
    failed: embedded?.failed ?? new Promise(() => undefined),
    stop: async () => {
      await embedded?.stop();
      await lock?.release();
    },
  };
}

async function makeWritable(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new WrongSettings(`LEFT4ME_ROOT: nothing can be kept in ${folder}: ${reason}`, { cause: error });
  }
}
