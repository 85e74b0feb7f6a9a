#!/usr/bin/env node
import 'reflect-metadata';
import path from 'node:path';
import { Command } from 'commander';
import { readSettings, WrongSettings } from './config/settings.js';
import { EmbeddedError } from './embedded/embedded-error.js';
import { Problem } from './problems/problems.js';

const settings = () => readSettings(process.env, { root: path.resolve('.left4me') });

const program = new Command('left4me').description(
  'Runs Left 4 Dead 2 servers. Settings come from the environment; see README.md.',
);

program
  .command('serve', { isDefault: true })
  .description('run the panel: API, console and worker, until Ctrl-C')
  .action(async () => {
    // Loaded only now: what is wrong with the settings is told at once.
    const given = settings();
    const { serve } = await import('./panel/serve.js');
    process.exitCode = await serve(given);
  });

program
  .command('create-user <name>')
  .description('make a user; the password comes from LEFT4ME_ADMIN_PASSWORD')
  .option('--admin', 'make an admin', false)
  .action(async (name: string, { admin }: { admin: boolean }) => {
    const request = { name, admin, password: process.env['LEFT4ME_ADMIN_PASSWORD'] || null };
    const given = settings();
    const { checkNewUser, createUser } = await import('./commands/create-user.js');
    checkNewUser(request);
    const { withDatabase } = await import('./panel/with-database.js');
    const user = await withDatabase(given, (database) => createUser(database, request));
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
// Everything is closed by now, or should be: what a failed start has left open must not keep the process for ever.
setTimeout(() => process.exit(), 5000).unref();
