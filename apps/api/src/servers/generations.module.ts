import { Module } from '@nestjs/common';
import { OverlayTreesModule } from '../overlays/overlay-trees.module.js';
import { SecretsModule } from '../secrets/secrets.module.js';
import { ServerFileClient } from '../server-files/server-file-client.js';
import { Generations } from './generations.js';
import { HiddenPaths } from './hidden-paths.js';
import { Previews } from './previews.js';

/** Apart from the servers' own module, so that the jobs, which the servers need, can need it. */
@Module({
  imports: [OverlayTreesModule, SecretsModule],
  providers: [Generations, HiddenPaths, Previews, ServerFileClient],
  exports: [Generations, Previews, SecretsModule, ServerFileClient],
})
export class GenerationsModule {}
