import { Module } from '@nestjs/common';
import { HostLibraryModule } from '../hosts/host-library.module.js';
import { ServerStates } from './server-states.js';
import { StatePoller } from './state-poller.js';

@Module({
  imports: [HostLibraryModule],
  providers: [ServerStates, StatePoller],
  exports: [ServerStates, StatePoller],
})
export class StatesModule {}
