import { type Host, openHost } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import { RunningSettings } from '../config/settings.js';

/** The host library, opened once for the machine this process runs on. */
@Injectable()
export class HostLibrary {
  private opened: Promise<Host> | null = null;

  constructor(private readonly settings: RunningSettings) {}

  /** The library. Tests put a stand-in of the machine in its place. */
  get(): Promise<Host> {
    const { root, serviceManager, steamcmd } = this.settings;
    this.opened ??= openHost({ root, serviceManager, ...(steamcmd === null ? {} : { steamcmd }) });
    return this.opened;
  }
}
