import { Module } from '@nestjs/common';
import { BlueprintViews } from './blueprint-views.js';
import { BlueprintsController } from './blueprints.controller.js';
import { Blueprints } from './blueprints.service.js';

/** Needs the database and the announcements, which are global. */
@Module({
  controllers: [BlueprintsController],
  providers: [Blueprints, BlueprintViews],
  exports: [Blueprints, BlueprintViews],
})
export class BlueprintsModule {}
