import { Module } from '@nestjs/common';
import { HostLibraryModule } from '../hosts/host-library.module.js';
import { SecretsModule } from '../secrets/secrets.module.js';
import { ServerStates } from './server-states.js';
import { StatePoller } from './state-poller.js';

@Module({
  imports: [HostLibraryModule, SecretsModule],
  providers: [ServerStates, StatePoller],
  exports: [ServerStates, StatePoller],
})
export class StatesModule {}
