import type { MigrationInterface } from 'typeorm';
import { Initial1795300000000 } from './1795300000000-initial.js';

/** Every migration, oldest first. */
export const migrations: (new () => MigrationInterface)[] = [Initial1795300000000];
