import { Global, Module } from '@nestjs/common';
import { HealthController } from './health.controller.js';
import { JobCounts } from './job-counts.js';
import { Measurements } from './measurements.js';
import { Services } from './services.js';

@Global()
@Module({ controllers: [HealthController], providers: [Services, Measurements, JobCounts], exports: [Measurements] })
export class HealthModule {}
