import { Module } from '@nestjs/common';
import { OverlaysModule } from '../overlays/overlays.module.js';
import { Steam } from './steam.js';
import { WorkshopItemsController } from './workshop-items.controller.js';
import { WorkshopItems } from './workshop-items.service.js';
import { WorkshopRecordsModule } from './workshop-records.module.js';
import { WorkshopViews } from './workshop-views.js';

@Module({
  imports: [OverlaysModule, WorkshopRecordsModule],
  controllers: [WorkshopItemsController],
  providers: [WorkshopItems, WorkshopViews, Steam],
})
export class WorkshopModule {}
