import { timeLimit } from '@left4me/host';
import { Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { RunningSettings } from '../config/settings.js';
import { HostRow } from '../hosts/host.entity.js';
import { Unavailable } from '../problems/problems.js';
import { HOST_OF_FILES, ServerFileClient } from '../server-files/server-file-client.js';
import { type Makings, numbersOf } from './makings.js';
import type { Recipe } from './recipe.js';

const UNKNOWN = 'Whether there is something at the hidden paths is not known';
/** For all paths together: a preview is worth more than its warnings. */
const LIMIT_MS = 10_000;

/** Looks whether hidden paths hide something: one that is misspelt hides nothing, without a word. */
@Injectable()
export class HiddenPaths {
  private readonly logger = new Logger('Hidden paths');
  limitMs = LIMIT_MS;

  constructor(
    private readonly database: DataSource,
    private readonly settings: RunningSettings,
    private readonly files: ServerFileClient,
  ) {}

  /** Sentences. None while the game or an overlay is missing, which may have them. */
  async warnings({ hide, overlays }: Recipe, makings: Makings): Promise<string[]> {
    const { build, unbuilt, barred } = makings;
    if (hide.length === 0 || build === null || unbuilt.length > 0 || barred.length > 0) return [];
    const host = await this.database.getRepository(HostRow).findOneByOrFail({ id: build.hostId });
    if (host.name !== HOST_OF_FILES || this.settings.host !== HOST_OF_FILES) {
      return [`${UNKNOWN}: the game is on the host ${host.name}.`];
    }
    const revisions = numbersOf(makings.revisions);
    const layers = { overlays: overlays.map(({ id }) => `${id}/${revisions.get(id)}`), build: build.build };
    const warnings: string[] = [];
    const limit = timeLimit(this.limitMs);
    try {
      for (const path of hide) {
        if (await this.files.isShipped(layers, path, limit)) continue;
        warnings.push(
          `Hiding ${path} has no effect: neither the game nor an overlay has it. Upper and lower case matter.`,
        );
      }
    } catch (error) {
      if (error instanceof Unavailable) return [`${UNKNOWN}: ${error.message}`];
      if (limit.aborted) return [`${UNKNOWN}: the host's worker did not answer in time.`];
      this.logger.error(`Hidden paths cannot be looked up: ${String(error)}`);
      return [`${UNKNOWN}: the host's worker could not look. The panel's log says why.`];
    }
    return warnings;
  }
}
