import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Run } from '../src/host.js';
import { CommandRecords } from '../src/process/command-records.js';
import { type Command, CommandRunner } from '../src/process/command-runner.js';
import { Builds } from '../src/runtime/builds.js';
import { ScriptBuilds } from '../src/scripts/script-builds.js';
import { SCRIPT_LIMITS } from '../src/scripts/script-limits.js';
import { ScriptUnit } from '../src/scripts/script-unit.js';
import { type Ask } from '../src/systemd/ask.js';
import { ControlGroups } from '../src/systemd/cgroup.js';
import { installScript, makeRoot, recordingRun } from './support/fixture.js';

/** All but what systemctl does; a unit that it stops has failed. */
class WithoutSystemctl extends CommandRunner {
  readonly did: string[] = [];
  stopped = false;

  override run(request: Command, run: Run): Promise<void> {
    const at = request.command.indexOf('/usr/bin/systemctl');
    if (at < 0) return super.run(request, run);
    this.did.push(request.command.slice(at + 1).join(' '));
    this.stopped = request.command.includes('stop');
    return Promise.resolve();
  }
}

/** Counts what an earlier run was refused, and from the second look on what this one was. */
class Refusing extends ControlGroups {
  private looks = 0;

  constructor(private readonly refused: { processes?: number; outOfMemory?: number }) {
    super();
  }

  override refusals(): ReturnType<ControlGroups['refusals']> {
    const { processes = 0, outOfMemory = 0 } = this.looks++ > 0 ? this.refused : {};
    return { processes: 3 + processes, outOfMemory: 3 + outOfMemory };
  }
}

/**
 * A build in a unit of which systemd, and the kernel, tell that, and what is done after each; resolves with its failure, or null, and
 * with what systemctl was told.
 */
async function build(
  shown: Record<string, string>,
  { version = 257, refused = {} } = {},
): Promise<{ failure: unknown; did: string[] }> {
  const root = await makeRoot();
  await installScript(root, '#!/bin/sh\n');
  const commands = new WithoutSystemctl(true, new CommandRecords(join(root, 'cache/commands')));
  const unit: Record<string, string> = { LoadState: 'loaded', ActiveState: 'inactive', Result: 'success', ...shown };
  const asked: Ask = (_, words) => {
    if (words.includes('--version')) return Promise.resolve(`systemd ${version} (${version}.4-1ubuntu8)\n+PAM\n`);
    const property = words.find((word) => word.startsWith('--property='))?.slice('--property='.length) ?? '';
    if (property === 'ActiveState' && commands.stopped) return Promise.resolve('failed\n');
    return Promise.resolve(`${unit[property] ?? ''}\n`);
  };
  const sandbox = new ScriptUnit(commands, asked, new Refusing(refused));
  const builds = new ScriptBuilds(root, new Builds(root), sandbox, { ...SCRIPT_LIMITS, reserveBytes: 0 });
  const building = builds.build({ overlay: 7, script: 'true', refuse: [] }, recordingRun().run);
  const failure = await building.then(
    () => null,
    (error: unknown) => error,
  );
  await builds.discard(7);
  return { failure, did: commands.did };
}

// The real unit is tried by npm run test:system.
describe('a script as a unit of systemd', () => {
  it('is started, and awaited', async () => {
    expect(await build({})).toEqual({ failure: null, did: ['start left4me-script@7.service'] });
  });

  it.each([
    [{ Result: 'oom-kill' }, 'the script was stopped: it uses more than 2 GiB of memory'],
    [{ Result: 'exit-code', ExecMainCode: '1', ExecMainStatus: '3' }, 'the script ended with code 3'],
    [
      { Result: 'signal', ExecMainCode: '2', ExecMainStatus: '9' },
      'the script ended with code 137: killed, as is what uses more than 2 GiB of memory',
    ],
  ])('that ended with %j fails in plain words', async (shown, message) => {
    const { failure, did } = await build({ ActiveState: 'failed', ...shown });
    expect(failure).toMatchObject({ message });
    expect(did.at(-1)).toBe('reset-failed left4me-script@7.service');
  });

  it.each([
    [{ processes: 1 }, 'the script was stopped: it runs more than 256 processes'],
    [{ outOfMemory: 1 }, 'the script was stopped: it uses more than 2 GiB of memory'],
  ])('that the kernel has refused %j is stopped, and told what', async (refused, message) => {
    const unit = 'left4me-script@7.service';
    const { failure, did } = await build({ ActiveState: 'active', ControlGroup: `/${unit}` }, { refused });
    expect(failure).toMatchObject({ code: 'script-stopped', message });
    // The first one is for what a killed worker has left; what was stopped is not shown as failed for ever.
    expect(did).toEqual(['stop', 'start', 'stop', 'reset-failed'].map((word) => `${word} ${unit}`));
  });

  it('is not run by a systemd without what it needs, or without the unit', async () => {
    const none = 'This machine has no sandbox for scripts, so none is run: ';
    expect(await build({}, { version: 255 })).toMatchObject({
      failure: { code: 'not-supported', message: `${none}it needs systemd 257 or newer, and this is 255` },
      did: [],
    });
    expect(await build({ LoadState: 'not-found' })).toMatchObject({
      failure: { message: `${none}the unit left4me-script@.service is not-found; run deploy/install.sh again` },
      did: [],
    });
  });
});
