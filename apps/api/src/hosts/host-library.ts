import { type Host, openHost } from '@left4me/host';
import { Inject, Injectable } from '@nestjs/common';
import { RunningSettings } from '../config/settings.js';

/** Opens the machine. Tests put a stand-in in its place. */
export type OpenHost = typeof openHost;
export const OPEN_HOST = Symbol('openHost');

/** The host library, opened once for the machine this process runs on. */
@Injectable()
export class HostLibrary {
  private opened: Promise<Host> | null = null;

  constructor(
    private readonly settings: RunningSettings,
    @Inject(OPEN_HOST) private readonly open: OpenHost,
  ) {}

  /** What failed is tried again the next time: a full disk or a missing folder may be mended by then. */
  get(): Promise<Host> {
    if (this.opened) return this.opened;
    const { root, serviceManager, steamcmd, keptFiles, trashDays, workshopUrl, workshopDownloads } = this.settings;
    const workshop = { url: workshopUrl, downloads: workshopDownloads };
    const kept = { keptFiles, replacedDays: trashDays };
    const opened = this.open({ root, serviceManager, ...kept, workshop, ...(steamcmd === null ? {} : { steamcmd }) });
    this.opened = opened;
    opened.catch(() => {
      if (this.opened === opened) this.opened = null;
    });
    return opened;
  }
}
