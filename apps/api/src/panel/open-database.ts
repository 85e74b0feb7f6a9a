import { type DataSource, QueryFailedError } from 'typeorm';
import { WrongSettings } from '../config/settings.js';
import { openDatabase } from '../database/data-source.js';

/** https://www.postgresql.org/docs/current/errcodes-appendix.html: insufficient privilege, read-only transaction. */
const NOT_ALLOWED = ['42501', '25006'];

/**
 * Opens a database that somebody else runs, and brings its schema up to date.
 * @throws WrongSettings naming DATABASE_URL when it cannot be reached, or must not be used like this
 */
export async function openGivenDatabase(url: string): Promise<DataSource> {
  try {
    return await openDatabase(url);
  } catch (error) {
    // A statement that failed for another reason is a mistake of ours, which needs its stack.
    if (error instanceof QueryFailedError && !NOT_ALLOWED.includes(codeOf(error.driverError))) throw error;
    throw new WrongSettings(`DATABASE_URL: the database cannot be opened: ${reasonOf(error)}`, { cause: error });
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function reasonOf(error: unknown): string {
  // A name with several addresses: each has its own reason.
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
