import { Module } from '@nestjs/common';
import { WorkshopBuilds } from './workshop-builds.js';
import { WorkshopRecords } from './workshop-records.js';

/** What the API and the worker both need of the Workshop. */
@Module({ providers: [WorkshopRecords, WorkshopBuilds], exports: [WorkshopRecords, WorkshopBuilds] })
export class WorkshopRecordsModule {}
