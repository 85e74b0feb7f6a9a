import { Global, Module } from '@nestjs/common';
import { HealthController } from './health.controller.js';
import { Measurements } from './measurements.js';
import { Services } from './services.js';

@Global()
@Module({ controllers: [HealthController], providers: [Services, Measurements], exports: [Measurements] })
export class HealthModule {}
