import { Module } from '@nestjs/common';
import { OverlayTreesModule } from '../overlays/overlay-trees.module.js';
import { Generations } from './generations.js';
import { RconPasswords } from './rcon-password.js';

/** Apart from the servers' own module, so that the jobs, which the servers need, can need it. */
@Module({
  imports: [OverlayTreesModule],
  providers: [Generations, RconPasswords],
  exports: [Generations, RconPasswords],
})
export class GenerationsModule {}
