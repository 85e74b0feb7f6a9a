import { type Host, type Run, ServerRuns, type TrashEntry } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import { HostLibrary } from '../../hosts/host-library.js';
import { Conflict } from '../../problems/problems.js';
import { ServerMasks } from '../../secrets/server-masks.js';
import { Generations } from '../../servers/generations.js';
import { TrashRows } from '../../trash/trash-rows.js';
import type { OperationHandler, RunningJob } from '../worker/operation-handler.js';

/** A job for a server: which one, and the host it is on. */
interface Subject {
  host: Host;
  name: string;
  serverId: number;
  jobId: number;
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
    private readonly trash: TrashRows,
    private readonly masks: ServerMasks,
  ) {}

  async run(job: RunningJob, run: Run): Promise<void> {
    const { serverId, serverName: name } = job;
    if (serverId === null || name === null) throw new Error(`A ${job.operation} job needs its server.`);
    const subject: Subject = { host: await this.library.get(), name, serverId, jobId: job.id, run };
    switch (job.operation) {
      case 'initialize':
        return job.restoreEntryId === null ? this.initialize(subject) : this.restore(subject, job, job.restoreEntryId);
      case 'start':
        return this.start(subject);
      case 'stop':
        return subject.host.stop(name, run);
      case 'restart':
        return this.restart(subject);
      case 'delete':
        return this.delete(subject, job);
      case 'install':
      case 'build-overlay':
        throw new Error(`${job.operation} is not an operation of a server.`);
    }
  }

  private async initialize(subject: Subject): Promise<void> {
    const { host, name, serverId, run } = subject;
    const { generation, spec } = await this.generations.prepare(serverId);
    // fault point: generation pinned
    const made = await host.initialize(name, spec, run);
    // fault point: generation written
    await this.generations.made(generation.id, made.generation);
    // fault point: generation recorded
    await this.forgetOld(subject);
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

  private async launch(subject: Subject): Promise<void> {
    const { host, name, run, jobId } = subject;
    await host.start(name, run, String(jobId));
    // fault point: server launched
    await this.forgetOld(subject);
  }

  /** The entry is written down before the job ends: afterwards its server may be deleted, and with it goes whose it is. */
  private async delete(subject: Subject, job: RunningJob): Promise<void> {
    const { host, name, serverId, run } = subject;
    const { found, trashed } = await host.delete(name, `${serverId}/${job.id}`, run);
    if (!found) await run.output.write('stdout', `${name} is not on this host`);
    // fault point: instance deleted
    await this.noteTrash(job, trashed, run);
    await this.keepOnly(subject, () => Promise.resolve([]));
  }

  /** Initialized first: a server that is absent, for want of a generation, must not have files that its name's next owner would get. */
  private async restore(subject: Subject, job: RunningJob, entryId: number): Promise<void> {
    const { host, name, serverId, run } = subject;
    const entry = await this.trash.restorable(job.hostId, entryId);
    const gone = `Trash entry ${entryId} is not in the trash any more, or is being removed: nothing was restored.`;
    if (!entry || entry.purging) throw new Conflict(gone);
    const [status] = await host.status([name]);
    if (status && !['absent', 'stopped', 'failed'].includes(status.state)) {
      throw new ServerRuns(name, 'its files are restored');
    }
    await this.initialize(subject);
    if (!(await this.trash.claim(entryId, job.id))) {
      throw new Conflict(`Another job restores trash entry ${entryId}, or it is being removed: nothing was restored.`);
    }
    this.masks.forget(serverId);
    const { restored, trashed } = await host.restore(name, { from: entry.path, trash: `${serverId}/${job.id}` }, run);
    await this.noteTrash(job, trashed, run);
    if (!restored && entry.lastServerId !== serverId) {
      await this.trash.forget(entryId);
      throw new Conflict(gone);
    }
    await this.trash.noteRestored(entryId);
    await run.output.write(
      'stdout',
      restored
        ? `Where the game or an overlay has a file that was restored, the restored one counts: the files of ${name} show where.`
        : `Trash entry ${entryId} had been restored here already.`,
    );
  }

  /** What is moved is moved; the worker looks at the disk every now and then, too. */
  private async noteTrash(job: RunningJob, trashed: TrashEntry | null, run: Run): Promise<void> {
    if (trashed === null) return;
    try {
      await this.trash.note(job.hostId, [trashed], job.id);
    } catch (error) {
      await run.output.write('stderr', `The trash's list does not show trash/${trashed.path} yet: ${String(error)}`);
    }
  }

  /** Only what runs and what starts next keeps its pins. */
  private async forgetOld(subject: Subject): Promise<void> {
    await this.keepOnly(subject, async () => {
      const [status] = await subject.host.status([subject.name]);
      return status ? [status.generation, status.nextGeneration].filter((number) => number !== null) : null;
    });
  }

  /**
   * What the job was for is done, so nothing in here fails it; the server's next one unpins the same.
   * @param used null: not known, all pins stay
   */
  private async keepOnly({ serverId, run }: Subject, used: () => Promise<number[] | null>): Promise<void> {
    try {
      const generations = await used();
      if (generations !== null) await this.generations.keepOnly(serverId, generations);
    } catch (error) {
      await run.output.write('stderr', `What earlier generations used stays pinned for now: ${String(error)}`);
    }
  }
}
