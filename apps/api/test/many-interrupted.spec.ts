import { afterAll, beforeAll, expect, it } from 'vitest';
import { createApp } from '../src/app.js';
import { type QueuePanel, startQueue } from './queue-panel.js';
import { StandInHost } from './stand-in-host.js';

const names = ['one', 'two', 'three', 'four', 'five'];

/** Answers about a server only once it has been asked about all of them. */
class PatientHost extends StandInHost {
  private readonly asked = new Set<string>();
  private readonly all: Promise<void>;
  private answer = (): void => undefined;

  constructor() {
    super();
    this.all = new Promise((resolve) => (this.answer = resolve));
  }

  override async status(about?: readonly string[]) {
    for (const name of about ?? []) this.asked.add(name);
    if (names.every((name) => this.asked.has(name))) this.answer();
    await this.all;
    return super.status(about);
  }
}

let panel: QueuePanel;
beforeAll(async () => {
  panel = await startQueue();
});
afterAll(() => panel.close());

it('a new worker looks at all servers of interrupted jobs at once: none waits for the others', async () => {
  const jobs: number[] = [];
  const host = new PatientHost();
  for (const name of names) {
    await panel.server(name);
    panel.host.hold('start', name);
    const job = await panel.queue(name, 'start');
    await panel.reaches(job.id, 'running');
    jobs.push(job.id);
    host.set(name, 'running', { generation: 1 });
  }
  const successor = await createApp(panel.settings, { logger: false, closeOnSignals: false, openHost: host.open });
  try {
    await successor.init();
    for (const id of jobs) {
      const { body } = await panel.admin.get(`/api/v1/jobs/${id}`).expect(200);
      expect(body).toMatchObject({ state: 'failed', error: expect.stringContaining('The server is running') });
    }
  } finally {
    await successor.close();
  }
});
