import { Module } from '@nestjs/common';
import { HostLibrary } from './host-library.js';
import { RuntimeBuilds } from './runtime-builds.js';

@Module({ providers: [HostLibrary, RuntimeBuilds], exports: [HostLibrary, RuntimeBuilds] })
export class HostLibraryModule {}
