// npm run test:crash: kills the API and the worker at every step of every operation, then prints how each ended.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readOptions } from './options.mjs';
import { build, checkout, install, requireNode } from './steps.mjs';

const about = `Kills the API and the worker at every step of every operation, each in turn, and prints how each job ended (minutes).
It takes no options: docs/decisions/0066-crash-matrix.md tells what is killed where.`;
readOptions('test:crash', about, {});
requireNode();
await install();
await build();
const tables = mkdtempSync(join(tmpdir(), 'left4me-crash-'));
const { status } = spawnSync('npm', ['run', '--silent', 'test', '--workspace', 'apps/api', '--', 'test/crash-matrix'], {
  cwd: checkout,
  stdio: ['ignore', 'inherit', 'inherit'],
  env: { ...process.env, LEFT4ME_CRASH_MATRIX: 'full', LEFT4ME_CRASH_TABLES: tables },
});
for (const name of readdirSync(tables).sort()) console.log(`\n${readFileSync(join(tables, name), 'utf8')}`);
rmSync(tables, { recursive: true });
process.exitCode = status === 0 ? 0 : 1;
