import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { HostsModule } from '../hosts/hosts.module.js';
import { JobsModule } from '../jobs/jobs.module.js';
import { LogsModule } from '../logs/logs.module.js';
import { OverlaysModule } from '../overlays/overlays.module.js';
import { ServersModule } from '../servers/servers.module.js';
import { LiveGateway } from './live.gateway.js';
import { LiveLists } from './live-lists.js';

@Module({
  imports: [AuthModule, JobsModule, HostsModule, LogsModule, OverlaysModule, ServersModule],
  providers: [LiveGateway, LiveLists],
})
export class LiveModule {}
