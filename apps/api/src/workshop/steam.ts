import { lookUp, SteamAway, SteamWebApi, WorkshopFailed, type WorkshopFile, timeLimit } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import { RunningSettings } from '../config/settings.js';
import { Conflict, Unavailable } from '../problems/problems.js';

/** Somebody waits for the answer. */
const LIMIT_MS = 12_000;

/** Steam, asked on behalf of a request: quickly, or not at all. */
@Injectable()
export class Steam {
  private readonly api: SteamWebApi;

  constructor({ workshopUrl }: RunningSettings) {
    const backOff = { firstMs: 200, mostMs: 1000 };
    this.api = new SteamWebApi({ url: workshopUrl, attempts: 2, callMs: 5000, backOff });
  }

  /** @throws Unavailable when Steam does not answer in time; Conflict when what the ids lead to is too much */
  async lookUp(ids: readonly string[]): Promise<WorkshopFile[]> {
    const limit = timeLimit(LIMIT_MS);
    try {
      return await lookUp(ids, this.api, limit);
    } catch (error) {
      if (limit.aborted) throw new Unavailable('Steam takes too long to answer.', { cause: error });
      if (error instanceof WorkshopFailed) throw new Conflict(error.message, { cause: error });
      if (error instanceof SteamAway) throw new Unavailable(`${error.message}.`, { cause: error });
      throw error;
    }
  }
}
