import { Injectable } from '@nestjs/common';
import { Gauge } from 'prom-client';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { jobStates } from '../jobs/job.entity.js';
import { Measurements } from './measurements.js';

const counts = z.array(z.object({ state: z.enum(jobStates), jobs: z.coerce.number() }));

/** Jobs by state in /metrics, counted when somebody asks. */
@Injectable()
export class JobCounts {
  constructor(database: DataSource, { registry }: Measurements) {
    const jobs = new Gauge({
      name: 'left4me_jobs',
      help: 'Jobs in the database, by state',
      labelNames: ['state'],
      registers: [],
      async collect() {
        const rows = counts.parse(await database.query('SELECT state, count(*) AS jobs FROM jobs GROUP BY state'));
        for (const state of jobStates) this.set({ state }, rows.find((row) => row.state === state)?.jobs ?? 0);
      },
    });
    registry.registerMetric(jobs);
  }
}
