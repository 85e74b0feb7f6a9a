#!/usr/bin/env node
import 'reflect-metadata';
import path from 'node:path';
import { Command } from 'commander';
import { createUser } from './commands/create-user.js';
import { readSettings, WrongSettings } from './config/settings.js';
import { EmbeddedError } from './embedded/embedded-error.js';
import { serve } from './panel/serve.js';
import { withDatabase } from './panel/with-database.js';
import { Problem } from './problems/problems.js';

const settings = () => readSettings(process.env, { root: path.resolve('.left4me') });

const program = new Command('left4me').description(
  'Runs Left 4 Dead 2 servers. Settings come from the environment; see README.md.',
);

program
  .command('serve', { isDefault: true })
  .description('run the panel: API, console and worker, until Ctrl-C')
  .action(async () => {
    process.exitCode = await serve(settings());
  });

program
  .command('create-user <name>')
  .description('make a user; the password comes from LEFT4ME_ADMIN_PASSWORD')
  .option('--admin', 'make an admin', false)
  .action(async (name: string, { admin }: { admin: boolean }) => {
    const password = process.env['LEFT4ME_ADMIN_PASSWORD'] || null;
    const user = await withDatabase(settings(), (database) => createUser(database, { name, admin, password }));
    process.stdout.write(`${user.role === 'admin' ? 'Admin' : 'User'} "${user.name}" can log in now.\n`);
  });

try {
  await program.parseAsync();
} catch (error) {
  // What the person at the terminal can mend is told in one sentence; anything else is a bug and shows where it came from.
  const expected = error instanceof WrongSettings || error instanceof EmbeddedError || error instanceof Problem;
  process.stderr.write(`${expected ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
}
