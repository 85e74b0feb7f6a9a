#!/usr/bin/env node
import 'reflect-metadata';
import path from 'node:path';
import { Command, Option } from 'commander';
import { readSettings, type Role, roles, WrongSettings } from './config/settings.js';
import { EmbeddedError } from './embedded/embedded-error.js';
import { Problem } from './problems/problems.js';

/** As usual for a command line that makes no sense; what goes wrong later is 1. */
const USAGE = 2;

const settings = (role: Role | null = null) => readSettings(process.env, { root: path.resolve('.left4me') }, role);

const program = new Command('left4me')
  .description('Runs Left 4 Dead 2 servers. Settings come from the environment; see README.md.')
  .usage('[--role api|worker|all] | <command>')
  .showSuggestionAfterError(false)
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : USAGE));

program
  .command('serve', { isDefault: true })
  .description('run the panel until Ctrl-C: API, console and worker, or what --role says of it')
  .addOption(
    new Option('--role <role>', 'api: answers requests; worker: runs the jobs of LEFT4ME_HOST; all: both').choices(
      roles,
    ),
  )
  .action(async ({ role }: { role?: Role }) => {
    // Loaded only now: what is wrong with the settings is told at once.
    const given = settings(role ?? null);
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

program
  .command('seed-script-overlays')
  .description('put the example scripts into the catalog, for an admin to look at, fill in and build')
  .action(async () => {
    const given = settings();
    const { seedScriptOverlays } = await import('./commands/seed-script-overlays.js');
    const { withDatabase } = await import('./panel/with-database.js');
    const said = await withDatabase(given, seedScriptOverlays);
    process.stdout.write(`${said.join('\n')}\n`);
  });

program
  .command('doctor')
  .description('look at everything the panel needs, and say how to mend what is wrong; 1 when something is bad')
  .option('--json', 'as JSON: a list of {state, about, found, mend}', false)
  .addOption(new Option('--role <role>', 'look only at what a process of this role needs').choices(roles))
  .action(async ({ json, role }: { json: boolean; role?: Role }) => {
    const given = settings(role ?? null);
    const { describe, examine } = await import('./doctor/doctor.js');
    const findings = await examine(given);
    process.stdout.write(json ? `${JSON.stringify(findings, null, 2)}\n` : describe(findings));
    process.exitCode = findings.some(({ state }) => state === 'bad') ? 1 : 0;
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
