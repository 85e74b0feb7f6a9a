import { Module } from '@nestjs/common';
import { DownloadsModule } from '../downloads/downloads.module.js';
import { JobsModule } from '../jobs/jobs.module.js';
import { ServersModule } from '../servers/servers.module.js';
import { ReplacedFilesController } from './replaced-files.controller.js';
import { ServerFileClient } from './server-file-client.js';
import { ServerFilesController } from './server-files.controller.js';
import { ServerFilesOfUsers } from './server-files.service.js';

/** The files of servers, over the socket of their host's worker. */
@Module({
  imports: [DownloadsModule, ServersModule, JobsModule],
  controllers: [ServerFilesController, ReplacedFilesController],
  providers: [ServerFilesOfUsers, ServerFileClient],
})
export class ServerFilesModule {}
