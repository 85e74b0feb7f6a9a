import { Module } from '@nestjs/common';
import { OverlayTreesModule } from '../overlays/overlay-trees.module.js';
import { SecretsModule } from '../secrets/secrets.module.js';
import { Generations } from './generations.js';
import { Previews } from './previews.js';

/** Apart from the servers' own module, so that the jobs, which the servers need, can need it. */
@Module({
  imports: [OverlayTreesModule, SecretsModule],
  providers: [Generations, Previews],
  exports: [Generations, Previews, SecretsModule],
})
export class GenerationsModule {}
