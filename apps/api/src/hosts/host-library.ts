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

  get(): Promise<Host> {
    const { root, serviceManager, steamcmd } = this.settings;
    this.opened ??= this.open({ root, serviceManager, ...(steamcmd === null ? {} : { steamcmd }) });
    return this.opened;
  }
}
