import { Module } from '@nestjs/common';
import { OverlaysModule } from '../overlays/overlays.module.js';
import { OverlayScriptsController } from './overlay-scripts.controller.js';
import { OverlayScripts } from './overlay-scripts.service.js';

@Module({ imports: [OverlaysModule], controllers: [OverlayScriptsController], providers: [OverlayScripts] })
export class ScriptsModule {}
