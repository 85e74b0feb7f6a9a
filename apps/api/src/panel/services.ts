import type { RunningSettings, Settings } from '../config/settings.js';
import { WrongSettings } from '../config/settings.js';
import { startEmbedded } from '../embedded/embedded.js';
import { lockState } from '../embedded/state-lock.js';
import { secretKeyIn } from './secret-key.js';

/** What a command of left4me runs on: the services given, or the embedded ones. */
export interface PanelServices {
  settings: Omit<RunningSettings, 'port'>;
  /** Resolves with a name when an embedded service ends by itself; never when all are given. */
  failed: Promise<string>;
  stop(): Promise<void>;
}

/**
 * Takes the state folder for this process and starts what is not given.
 * @throws StateLocked when another panel runs on the folder; EmbeddedError when a service cannot be had here
 */
export async function openServices(settings: Settings, report: (line: string) => void): Promise<PanelServices> {
  const lock = await lockState(settings.root);
  try {
    const embedded = await startEmbedded({
      root: settings.root,
      report,
      needs: { postgres: settings.databaseUrl === null, redis: settings.redisUrl === null },
    });
    const databaseUrl = settings.databaseUrl ?? embedded.databaseUrl;
    const redisUrl = settings.redisUrl ?? embedded.redisUrl;
    if (databaseUrl === undefined || redisUrl === undefined)
      throw new WrongSettings('No database or Redis was started.');
    const secretKey = settings.secretKey ?? (await secretKeyIn(settings.root));
    return {
      settings: { ...settings, databaseUrl, redisUrl, secretKey },
      failed: embedded.failed,
      stop: async () => {
        await embedded.stop();
        await lock.release();
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}
