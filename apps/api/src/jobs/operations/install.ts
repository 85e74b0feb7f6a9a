import type { Run } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { HostLibrary } from '../../hosts/host-library.js';
import { RuntimeBuilds } from '../../hosts/runtime-builds.js';
import { Announcements } from '../../redis/announcements.js';
import { announceServersOf } from '../../servers/announce-servers.js';
import type { OperationHandler, RunningJob } from '../worker/operation-handler.js';

/** `install`: gets the game, or a newer build of it, into a folder of its own. Running servers notice nothing. */
@Injectable()
export class InstallHandler implements OperationHandler {
  readonly operations = ['install'] as const;
  readonly limitSeconds = 6 * 3600;

  constructor(
    private readonly library: HostLibrary,
    private readonly builds: RuntimeBuilds,
    private readonly database: DataSource,
    private readonly announcements: Announcements,
  ) {}

  async run(job: RunningJob, run: Run): Promise<void> {
    const host = await this.library.get();
    const { build, demo } = await host.install(job.build === null ? {} : { build: job.build }, run);
    // fault point: build installed
    await this.builds.sync(job.hostId, host);
    // fault point: build recorded
    const say = (problem: string) => run.output.write('stderr', problem);
    await announceServersOf({ hostId: job.hostId }, this.database, this.announcements, say);
    const what = demo ? ' (demo runtime: a stand-in, not the game)' : '';
    await run.output.write('stdout', `Build ${build} is installed${what}.`);
  }
}
