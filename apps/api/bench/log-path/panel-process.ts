/*
 * A whole panel in a process of its own, whose server jobs run a real child through the host library's command runner.
 */
import 'reflect-metadata';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openHost } from '@left4me/host';
import { CommandRecords } from '@left4me/host/process/command-records';
import { CommandRunner } from '@left4me/host/process/command-runner';
import { z } from 'zod';
import { NoOpHost } from '../no-op-host.js';
import { startPanel } from '../panel.js';
import { chatterCommand, JOBS } from './load.js';
import { say, task } from './program.js';

const { place, folder } = task(
  z.object({
    place: z.object({ databaseUrl: z.string(), redisUrl: z.string(), redisPrefix: z.string() }),
    folder: z.string(),
  }),
);
const machine = join(folder, 'machine');
await mkdir(machine);
const { facts } = await openHost({ root: machine, serviceManager: 'process' });
const commands = new CommandRunner(facts.isolation === 'namespaces', new CommandRecords(join(machine, 'commands')));

const host = new NoOpHost();
host.serverOperation = (_server, run) => commands.run({ command: chatterCommand(), timeLimitMs: 120_000 }, run);
const panel = await startPanel(place, folder, host.open, { workerConcurrency: JOBS });
const servers = await panel.servers(JOBS);
process.once('disconnect', () => void panel.close());
say({ url: panel.url, cookie: panel.cookie, servers, isolation: facts.isolation });
