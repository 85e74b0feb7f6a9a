import type { Host, Run } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import { HostLibrary } from '../../hosts/host-library.js';
import { Generations } from '../../servers/generations.js';
import type { OperationHandler, RunningJob } from '../worker/operation-handler.js';

/** A job for a server: which one, and the host it is on. */
interface Subject {
  host: Host;
  name: string;
  serverId: number;
  run: Run;
}

/**
 * The five operations of a server. `start` is initialize, then start; `restart` is initialize, then stop and start, so that a server
 * whose initialize fails keeps running.
 */
@Injectable()
export class ServerOperationsHandler implements OperationHandler {
  readonly operations = ['initialize', 'start', 'stop', 'restart', 'delete'] as const;
  readonly limitSeconds = 900;

  constructor(
    private readonly library: HostLibrary,
    private readonly generations: Generations,
  ) {}

  async run(job: RunningJob, run: Run): Promise<void> {
    const { serverId, serverName: name } = job;
    if (serverId === null || name === null) throw new Error(`A ${job.operation} job needs its server.`);
    const subject: Subject = { host: await this.library.get(), name, serverId, run };
    switch (job.operation) {
      case 'initialize':
        return this.initialize(subject);
      case 'start':
        return this.start(subject);
      case 'stop':
        return subject.host.stop(name, run);
      case 'restart':
        return this.restart(subject);
      case 'delete':
        return this.delete(subject, job.id);
      case 'install':
      case 'build-overlay':
        throw new Error(`${job.operation} is not an operation of a server.`);
    }
  }

  private async initialize({ host, name, serverId, run }: Subject): Promise<void> {
    const { generation, spec } = await this.generations.prepare(serverId);
    // fault point: generation pinned
    const made = await host.initialize(name, spec, run);
    // fault point: generation written
    await this.generations.made(generation.id, made.generation);
    // fault point: generation recorded
    await this.forgetOld(host, name, serverId);
  }

  private async start(subject: Subject): Promise<void> {
    const { host, name, run } = subject;
    const [status] = await host.status([name]);
    if (status?.state === 'running' || status?.state === 'starting') {
      await run.output.write('stdout', `${name} is running already; nothing was changed.`);
      return;
    }
    await this.initialize(subject);
    await this.launch(subject);
  }

  private async restart(subject: Subject): Promise<void> {
    await this.initialize(subject);
    await subject.host.stop(subject.name, subject.run);
    // fault point: server stopped for its restart
    await this.launch(subject);
  }

  private async launch({ host, name, serverId, run }: Subject): Promise<void> {
    await host.start(name, run);
    // fault point: server launched
    await this.forgetOld(host, name, serverId);
  }

  private async delete({ host, name, serverId, run }: Subject, jobId: number): Promise<void> {
    const { found } = await host.delete(name, `${serverId}/${jobId}`, run);
    if (!found) await run.output.write('stdout', `${name} is not on this host`);
    // fault point: instance deleted
    await this.generations.keepOnly(serverId, []);
  }

  /** Only what runs and what starts next keeps its pins. */
  private async forgetOld(host: Host, name: string, serverId: number): Promise<void> {
    const [status] = await host.status([name]);
    if (!status) return;
    const onDisk = [status.generation, status.nextGeneration].filter((number) => number !== null);
    await this.generations.keepOnly(serverId, onDisk);
  }
}
