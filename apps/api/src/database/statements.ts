import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import pg from 'pg';
import { RunningSettings } from '../config/settings.js';
import { connectionOptions } from './data-source.js';

/** A statement that is planned once per connection; its name belongs to it alone. */
export interface Statement {
  name: string;
  text: string;
}

const CONNECTIONS = 5;

/**
 * Plans never follow the statistics: those of tables that fill and empty all day are always stale, and a plan made when a table was
 * empty reads all of it when it is full. Every one of these statements finds its rows by an index.
 */
const PLANNING = [
  'plan_cache_mode=force_generic_plan',
  'enable_seqscan=off',
  'enable_hashjoin=off',
  'enable_mergejoin=off',
  'enable_bitmapscan=off',
  // Each statement of a function has to see what was committed before it.
  'default_transaction_isolation=read\\ committed',
]
  .map((setting) => `-c ${setting}`)
  .join(' ');

/** The prepared statements of what every job runs through, on connections of their own. */
@Injectable()
export class Statements implements OnApplicationShutdown {
  private readonly pool: pg.Pool;

  constructor(settings: RunningSettings) {
    const url = new URL(settings.databaseUrl);
    // Whatever is given in the address counts too, but not instead.
    const given = url.searchParams.get('options') ?? '';
    url.searchParams.delete('options');
    this.pool = new pg.Pool({
      ...connectionOptions,
      connectionString: url.toString(),
      application_name: 'left4me',
      max: CONNECTIONS,
      options: `${given} ${PLANNING}`.trim(),
    });
    // An idle connection broke; the next statement gets another.
    this.pool.on('error', (error) => new Logger('Database').debug(`a connection broke: ${error.message}`));
  }

  /** Runs the statement by itself. */
  async run<Row extends pg.QueryResultRow>(statement: Statement, values: readonly unknown[] = []): Promise<Row[]> {
    const { rows } = await this.pool.query<Row>({ ...statement, values: [...values] });
    return rows;
  }

  async onApplicationShutdown(): Promise<void> {
    if (!this.pool.ending) await this.pool.end();
  }
}
