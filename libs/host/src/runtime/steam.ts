import { NotSupported } from '../errors.js';
import type { Run } from '../host.js';

/** The real game, by steamcmd. Its place: it fills `installation/<build>/` and differs from the demo in nothing else. */
export class SteamRuntime {
  constructor(private readonly steamcmd: string) {}

  async install(_request: { build?: string }, _run: Run): Promise<{ build: string; demo: boolean }> {
    throw new NotSupported(`installing with ${this.steamcmd} is not supported yet: leave LEFT4ME_STEAMCMD empty`);
  }
}
