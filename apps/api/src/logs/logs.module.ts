import { Module } from '@nestjs/common';
import { ServersModule } from '../servers/servers.module.js';
import { ServerLogStream } from './server-log-stream.js';
import { ServerLogsController } from './server-logs.controller.js';

/** Reading the servers' logs. The worker feeds them (hosts/). */
@Module({
  imports: [ServersModule],
  controllers: [ServerLogsController],
  providers: [ServerLogStream],
  exports: [ServerLogStream],
})
export class LogsModule {}
