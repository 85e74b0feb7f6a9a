// One process of the fleet: the built panel on a stand-in of the machine that does what the test says over IPC, and tells what it does.
// Argument: the settings, as JSON. Messages: messages.ts.
import 'reflect-metadata';
import { AsyncLocalStorage } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { CommandFailed } from '../../../../libs/host/dist/errors.js';
import { createApp } from '../../dist/app.js';
import { Dispatcher } from '../../dist/jobs/queue/dispatcher.js';
import { Job } from '../../dist/jobs/job.entity.js';
import { Jobs } from '../../dist/jobs/jobs.service.js';
import { OperationHandlers } from '../../dist/jobs/worker/operation-handler.js';

const settings = JSON.parse(process.argv[2]);
const jobOf = new AsyncLocalStorage();
/** What the test has said of a job: `finish`, `fail`, `advance` (end this call, hold the next). */
const orders = new Map();
const changed = new EventEmitter().setMaxListeners(0);
let world = { quick: [], free: false, reconciler: true };

// Of CLOCK_MONOTONIC, which all processes of a machine share.
const now = () => Number(process.hrtime.bigint()) / 1e6;
const tell = (message) => process.connected && process.send(message);
const aborted = (signal) => new Promise((resolve) => signal?.addEventListener('abort', resolve));

/** What is to become of the call: `finish` or a failure's code. */
async function verdict(jobId, subject, signal) {
  for (;;) {
    const order = orders.get(jobId);
    if (signal.aborted) {
      // Some commands take their time to end, so that much can happen to a job that is being cancelled.
      await sleep(Math.random() * (jobId % 3 === 0 && !world.free ? 400 : 20));
      return 'abort';
    }
    if (order?.what === 'advance') orders.delete(jobId);
    if (order) return order.what === 'fail' ? order.code : 'finish';
    if (world.free || world.quick.includes(subject)) {
      await sleep(Math.random() * 4);
      return signal.aborted ? 'abort' : 'finish';
    }
    await new Promise((resolve) => {
      changed.once('changed', resolve);
      signal.addEventListener('abort', resolve, { once: true });
    });
  }
}

async function perform(operation, subject, run) {
  const jobId = jobOf.getStore();
  const say = async (text) => {
    tell({ kind: 'line', jobId, text });
    await run.output.write('stdout', text);
  };
  tell({ kind: 'begun', jobId, operation, subject, at: now() });
  for (let n = 0; n <= jobId % 5; n++) await say(`${operation} ${subject} ${n}`);
  const how = await verdict(jobId, subject, run.signal);
  await say(`${operation} ${subject}: ${how}`);
  tell({ kind: 'over', jobId, how, at: now() });
  if (how === 'abort') throw new Error('aborted');
  if (how !== 'finish') throw new CommandFailed(how, [operation]);
}

const unknown = { pid: null, startedAt: null, exitCode: null, signal: null, reason: null };
const host = {
  facts: {
    machineId: 'stand-in',
    bootId: 'stand-in',
    isolation: 'namespaces',
    isolationReason: null,
    runtimeKind: 'demo',
  },
  trash: { entries: async () => [], purge: async () => undefined, tidy: async () => undefined },
  runtimes: async () => ({
    current: 'build-1',
    builds: [{ build: 'build-1', installedAt: new Date(0).toISOString(), demo: true, bytes: 1 }],
    newest: null,
  }),
  install: async (_request, run) => {
    await perform('install', settings.host, run);
    return { build: 'build-1', demo: true };
  },
  initialize: async (name, _spec, run) => {
    await perform('initialize', name, run);
    return { generation: 1 };
  },
  start: async (name, run) => {
    await perform('start', name, run);
    return { generation: 1, alreadyRunning: false };
  },
  stop: (name, run) => perform('stop', name, run),
  delete: async (name, _trash, run) => {
    await perform('delete', name, run);
    return { found: true, trashed: null };
  },
  publish: async ({ overlay }, run) => {
    await perform('publish', String(overlay), run);
    return { unchanged: false, files: 1, bytes: 1, hash: 'hash' };
  },
  buildScript: async () => undefined,
  discardBuild: async () => undefined,
  removeRevision: async () => undefined,
  publishedRevisions: async () => [],
  revisionsInUse: async () => new Set(),
  // Always stopped: every start and restart makes all of its calls.
  status: async (names = []) =>
    names.map((name) => ({ name, state: 'stopped', ...unknown, generation: 1, nextGeneration: 1 })),
  watch: async function* (signal) {
    await aborted(signal);
  },
  logs: async function* (_name, { signal }) {
    await aborted(signal);
  },
};

// Which job a call belongs to, and when the worker takes and leaves a job, is seen where handlers are looked up.
const find = Reflect.get(OperationHandlers.prototype, 'find');
OperationHandlers.prototype.find = function (operation) {
  const handler = find.call(this, operation);
  if (!handler) return handler;
  return {
    operations: handler.operations,
    limitSeconds: handler.limitSeconds,
    run: async (job, run) => {
      tell({ kind: 'taken', jobId: job.id, at: now() });
      try {
        await jobOf.run(job.id, () => handler.run(job, run));
        tell({ kind: 'left', jobId: job.id, error: null, at: now() });
      } catch (error) {
        tell({ kind: 'left', jobId: job.id, error: String(error?.message ?? error), at: now() });
        throw error;
      }
    },
  };
};

// Where nothing is lost, nobody may need the reconciler: the test puts it to sleep then.
const reconcile = Reflect.get(Dispatcher.prototype, 'reconcile');
if (typeof reconcile !== 'function') throw new Error('The dispatcher has no reconciler to be put to sleep any more.');
Dispatcher.prototype.reconcile = async function () {
  if (world.reconciler) await reconcile.call(this);
};

const app = await createApp(settings, {
  logger: ['warn', 'error', 'fatal'],
  closeOnSignals: false,
  openHost: async () => host,
});

const requests = {
  ping: async () => null,
  enqueue: async ({ request, overlays }) => {
    const built = async () => {
      const sql = 'SELECT DISTINCT overlay_id AS id FROM overlay_revisions WHERE overlay_id = ANY ($1)';
      return (await app.get(DataSource).query(sql, [overlays])).map(({ id }) => id);
    };
    const builtBefore = await built();
    const { id } = await app.get(Jobs).enqueue(request);
    return { jobId: id, builtBefore, builtAfter: await built() };
  },
  cancel: async ({ jobId }) => {
    const job = await app.get(DataSource).manager.findOneByOrFail(Job, { id: jobId });
    await app.get(Jobs).cancel(job, job.userId);
    return null;
  },
};

process.on('message', (message) => void hear(message));

async function hear(message) {
  if (message.kind === 'world') world = message.world;
  if (message.kind === 'order') orders.set(message.jobId, message.order);
  if (message.kind === 'close') await app.close().finally(() => process.exit());
  changed.emit('changed');
  const answer = requests[message.kind];
  if (!answer) return;
  try {
    tell({ kind: 'answer', call: message.call, value: await answer(message) });
  } catch (error) {
    tell({
      kind: 'refusal',
      call: message.call,
      conflict: error?.constructor?.name === 'Conflict',
      text: String(error),
    });
  }
}
process.on('disconnect', () => process.exit(1));
tell({ kind: 'serving' });
