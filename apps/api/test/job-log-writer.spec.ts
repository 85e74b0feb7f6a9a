import { afterAll, beforeAll, expect, it } from 'vitest';
import { Statements } from '../src/database/statements.js';
import { JobLines } from '../src/jobs/log/job-lines.js';
import { JobLogWriter } from '../src/jobs/worker/job-log-writer.js';
import { Announcements } from '../src/redis/announcements.js';
import { SecretFinder } from '../src/secrets/secret-finder.js';
import { startApp, type TestApp } from './app.js';

const INCARNATION = '11111111-1111-4111-8111-111111111111';
let panel: TestApp;
beforeAll(async () => {
  panel = await startApp();
});
afterAll(() => panel.close());

/** A job that this test pretends to run. */
async function runningJob(): Promise<number> {
  const [row] = await panel.database.query<{ id: number }[]>(
    `INSERT INTO jobs (operation, state, host_id, incarnation) SELECT 'install', 'running', id, $1 FROM hosts LIMIT 1 RETURNING id`,
    [INCARNATION],
  );
  if (!row) throw new Error('there is no host');
  return row.id;
}

const stored = (jobId: number) =>
  panel.database.query<{ seq: number; stream: string; line: string }[]>(
    `SELECT seq, stream, line FROM job_log WHERE job_id = $1 ORDER BY seq`,
    [jobId],
  );

const unmasked = () => Promise.resolve(SecretFinder.none);
const jobLines = () => panel.app.get(JobLines);

/** The panel's lines, of which every statement that contains `text` fails the first `times` times. */
function failing(text: string, times: number): JobLines {
  let left = times;
  class Failing extends Statements {
    override run: Statements['run'] = (statement, values) => {
      if (statement.text.includes(text) && left-- > 0) return Promise.reject(new Error('the connection broke'));
      return panel.app.get(Statements).run(statement, values);
    };
  }
  return new JobLines(new Failing(panel.settings));
}

it('keeps the first and the last lines of an endless log, with a marker that counts what is left out', async () => {
  const jobId = await runningJob();
  const writer = new JobLogWriter(jobLines(), panel.app.get(Announcements), jobId, INCARNATION, unmasked, 10);
  for (let i = 1; i <= 300; i++) {
    await writer.write('stdout', `line ${i}`);
    if (i % 7 === 0) await writer.drain();
  }
  await writer.drain();
  const lines = await stored(jobId);
  const first = Array.from({ length: 10 }, (_, i) => ({ seq: i + 1, stream: 'stdout', line: `line ${i + 1}` }));
  const last = Array.from({ length: 10 }, (_, i) => ({ seq: i + 291, stream: 'stdout', line: `line ${i + 291}` }));
  const marker = {
    seq: 11,
    stream: 'system',
    line: '… 280 lines were left out here: a log keeps its first and last 10 …',
  };
  expect(lines).toEqual([...first, marker, ...last]);
});

it.each(['INSERT INTO job_log', 'DELETE FROM job_log'])(
  'stores every line once although %s fails for a while',
  async (statement) => {
    const jobId = await runningJob();
    const writer = new JobLogWriter(
      failing(statement, 2),
      panel.app.get(Announcements),
      jobId,
      INCARNATION,
      unmasked,
      2,
    );
    for (let i = 1; i <= 8; i++) await writer.write('stdout', `line ${i}`);
    await writer.drain();
    expect((await stored(jobId)).map(({ line }) => line)).toEqual([
      'line 1',
      'line 2',
      '… 4 lines were left out here: a log keeps its first and last 2 …',
      'line 7',
      'line 8',
    ]);
  },
);

it('writes nothing for a job that another worker has by now', async () => {
  const jobId = await runningJob();
  const writer = new JobLogWriter(
    jobLines(),
    panel.app.get(Announcements),
    jobId,
    '22222222-2222-4222-8222-222222222222',
    unmasked,
  );
  await writer.write('stdout', 'late');
  await writer.drain();
  expect(await stored(jobId)).toEqual([]);
});

it('stores no secret, not even a part of one that a long line is cut in', async () => {
  const jobId = await runningJob();
  let attempts = 0;
  const mask = () => {
    attempts += 1;
    return attempts === 1 ? Promise.reject(new Error('away')) : Promise.resolve(new SecretFinder(['hunter2hunter2']));
  };
  const writer = new JobLogWriter(jobLines(), panel.app.get(Announcements), jobId, INCARNATION, mask);
  await writer.write('stdout', 'rcon_password "hunter2hunter2" ok');
  await writer.write('stderr', `${'x'.repeat(4090)}hunter2hunter2`);
  await writer.drain();
  const lines = (await stored(jobId)).map(({ line }) => line);
  expect(lines).toEqual(['rcon_password "***" ok', `${'x'.repeat(4090)}***`]);
});
