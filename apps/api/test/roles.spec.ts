import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { StateFolder } from './state-folder.js';

describe('the roles of a process', () => {
  let folder: StateFolder;
  beforeEach(async () => {
    folder = await StateFolder.make();
  });
  afterEach(() => folder.remove());

  it.each([
    [
      ['--role', 'boss'],
      "error: option '--role <role>' argument 'boss' is invalid. Allowed choices are api, worker, all.",
    ],
    [['--rule', 'api'], "error: unknown option '--rule'"],
    [['api'], "error: too many arguments for 'serve'. Expected 0 arguments but got 1."],
  ])('are named right, or it is one line and code 2: %j', async (command, stderr) => {
    expect(await folder.finish(command)).toEqual({ code: 2, stdout: '', stderr: `${stderr}\n` });
  });

  it('are told by --help', async () => {
    const { code, stdout } = await folder.finish(['--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('Usage: left4me [--role api|worker|all] | <command>');
  });

  it('need what they cannot make themselves: services, and a worker the key', async () => {
    const [DATABASE_URL, REDIS_URL] = [inject('databaseUrl'), inject('redisUrl')];
    for (const role of ['api', 'worker']) {
      expect(await folder.finish(['--role', role], { DATABASE_URL })).toEqual({
        code: 1,
        stdout: '',
        stderr:
          `REDIS_URL missing: a process with --role ${role} needs the PostgreSQL and the Redis of the panel's other processes. ` +
          'Give it, or leave --role away: one process does everything then.\n',
      });
    }
    const keyless = await folder.finish(['--role', 'worker'], { DATABASE_URL, REDIS_URL });
    expect(keyless).toMatchObject({ code: 1, stdout: '' });
    expect(keyless.stderr).toMatch(/^SECRET_KEY: a process with --role worker needs that of the API; .*\n$/);
    expect(await folder.processes()).toEqual([]);
  });
});
