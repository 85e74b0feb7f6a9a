import { Module } from '@nestjs/common';
import { GenerationsModule } from '../servers/generations.module.js';
import { BlueprintViews } from './blueprint-views.js';
import { BlueprintsController } from './blueprints.controller.js';
import { Blueprints } from './blueprints.service.js';
import { UnsavedBlueprints } from './unsaved-blueprints.js';

/** Needs the database and the announcements, which are global. */
@Module({
  imports: [GenerationsModule],
  controllers: [BlueprintsController],
  providers: [Blueprints, BlueprintViews, UnsavedBlueprints],
  exports: [Blueprints, BlueprintViews],
})
export class BlueprintsModule {}
