import { QueryFailedError } from 'typeorm';

/** Whether the database refused a write because of the constraint or unique index of this name. */
export function violates(error: unknown, constraint: string): boolean {
  if (!(error instanceof QueryFailedError)) return false;
  const { driverError } = error;
  return 'constraint' in driverError && driverError.constraint === constraint;
}

/** Whether the database refused a write because a row it refers to is gone, or is itself referred to. */
export function violatesReference(error: unknown): boolean {
  if (!(error instanceof QueryFailedError)) return false;
  const { driverError } = error;
  return 'code' in driverError && (driverError.code === '23503' || driverError.code === '23001');
}
