import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobView } from '../src/jobs/job.dto.js';
import { type QueuePanel, startQueue } from './queue-panel.js';

let panel: QueuePanel;
beforeAll(async () => {
  panel = await startQueue();
  await panel.ended((await panel.install()).id);
});
afterAll(() => panel.close());

const jobsOf = async (server: string, status = 200): Promise<JobView[]> =>
  (await panel.admin.get('/api/v1/jobs').query({ serverId: server }).expect(status)).body.items;

describe('a name does where an id does', () => {
  it('for hosts', async () => {
    const { body } = await panel.admin.get('/api/v1/hosts/local').expect(200);
    expect(body).toMatchObject({ id: panel.hostId, name: 'local' });
    const queued = await panel.admin.post('/api/v1/hosts/local/jobs').send({ operation: 'install' }).expect(202);
    expect(queued.body).toMatchObject({ operation: 'install', hostId: panel.hostId });
    await panel.ended(queued.body.id);
    for (const nowhere of ['nowhere', '0', '4000000000', '%00']) {
      await panel.admin.get(`/api/v1/hosts/${nowhere}`).expect(404);
      await panel.admin.post(`/api/v1/hosts/${nowhere}/jobs`).send({ operation: 'install' }).expect(404);
    }
  });

  it('for the jobs of a server, also one that was removed', async () => {
    const id = await panel.server('v1');
    await panel.server('v2');
    await panel.ended((await panel.queue('v1', 'stop')).id);
    await panel.ended((await panel.queue('v2', 'stop')).id);
    const ids = (await jobsOf('v1')).map((job) => job.id);
    expect(ids).toHaveLength(1);
    expect((await jobsOf(String(id))).map((job) => job.id)).toEqual(ids);
    await panel.ended((await panel.queue('v1', 'delete')).id);
    await panel.admin.delete('/api/v1/servers/v1').expect(204);
    expect((await jobsOf('v1')).map((job) => job.operation)).toEqual(['delete', 'stop']);
    expect(await jobsOf('nobody')).toEqual([]);
    await jobsOf('No Name', 400);
  });

  it('but not where several hosts have a server of that name: then its host is asked for', async () => {
    const [attic] = await panel.database.query<{ id: number }[]>(
      `INSERT INTO hosts (name) VALUES ('attic') RETURNING id`,
    );
    await panel.server('twin');
    await panel.ended((await panel.queue('twin', 'stop')).id);
    const { body: local } = await panel.admin.get('/api/v1/servers/twin').expect(200);
    const { name, blueprintId } = local;
    const other = { name, blueprintId, hostId: attic?.id };
    const { body: away } = await panel.admin.post('/api/v1/servers').send(other).expect(201);
    await panel.admin.post(`/api/v1/servers/${away.id}/jobs`).send({ operation: 'stop' }).expect(202);
    await jobsOf('twin', 409);
    const { body } = await panel.admin.get('/api/v1/jobs?serverId=twin&hostId=attic').expect(200);
    expect(body.items.map((job: JobView) => job.serverId)).toEqual([away.id]);
    expect(await jobsOf(String(local.id))).toHaveLength(1);
  });

  it("and shows nobody else's jobs", async () => {
    const zoey = await panel.user();
    expect((await zoey.get('/api/v1/jobs?serverId=v2').expect(200)).body.items).toEqual([]);
  });
});
