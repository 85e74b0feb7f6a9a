import type { Host, Run } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { RunningSettings } from '../config/settings.js';
import { HostRow } from '../hosts/host.entity.js';
import { Conflict } from '../problems/problems.js';
import { OverlayScript } from './overlay-script.entity.js';

/** Runs the scripts of overlays on this machine, as part of their builds. */
@Injectable()
export class ScriptRuns {
  constructor(
    private readonly database: DataSource,
    private readonly settings: RunningSettings,
  ) {}

  /** @throws Conflict without a script */
  async run(overlay: number, hostId: number, host: Host, run: Run): Promise<void> {
    const script = await this.database.getRepository(OverlayScript).findOneBy({ overlayId: overlay });
    if (script === null) throw new Conflict('The overlay has no script yet: write it, then build.');
    const { address } = await this.database.getRepository(HostRow).findOneByOrFail({ id: hostId });
    const { publicUrl } = this.settings;
    const names = [address, publicUrl === null ? null : new URL(publicUrl).hostname];
    const refuse = names.filter((name) => name !== null).map((name) => name.replace(/^\[(.*)\]$/, '$1'));
    await host.buildScript({ overlay, script: script.text, refuse }, run);
  }

  /** Removes what a script has made, published or not. A failure is only said: the next build removes it, too. */
  async discard(overlay: number, host: Host, run: Run): Promise<void> {
    try {
      await host.discardBuild(overlay);
    } catch (error) {
      await run.output.write(
        'stderr',
        `What the script made is still there, beside what is published: ${String(error)}`,
      );
    }
  }
}
