import { Module } from '@nestjs/common';
import { DownloadsModule } from '../downloads/downloads.module.js';
import { JobsModule } from '../jobs/jobs.module.js';
import { GenerationsModule } from '../servers/generations.module.js';
import { ServersModule } from '../servers/servers.module.js';
import { ReplacedFilesController } from './replaced-files.controller.js';
import { ServerFilesController } from './server-files.controller.js';
import { ServerFilesOfUsers } from './server-files.service.js';

/** The files of servers, over the socket of their host's worker. */
@Module({
  imports: [DownloadsModule, ServersModule, JobsModule, GenerationsModule],
  controllers: [ServerFilesController, ReplacedFilesController],
  providers: [ServerFilesOfUsers],
})
export class ServerFilesModule {}
