import { mkdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeRoot, recordingRun } from '../../test/support/fixture.js';
import { ScriptBuilds } from '../scripts/script-builds.js';
import type { ScriptSandbox } from '../scripts/sandbox.js';
import type { ScriptPlace } from '../scripts/script-place.js';
import { Builds } from './builds.js';
import { Retention } from './retention.js';

/** Runs no script, but what a test does meanwhile. */
class StandInSandbox implements ScriptSandbox {
  readonly programs = [];
  game = '';

  constructor(private readonly meanwhile: () => Promise<void>) {}

  async require(): Promise<void> {
    // It is there.
  }

  async run(place: ScriptPlace): Promise<void> {
    // left4me-script@.service binds this one.
    this.game = await readlink(join(place.run, 'game'));
    await this.meanwhile();
  }

  async forget(): Promise<void> {
    // It keeps nothing.
  }
}

/** Three builds, the first of which is current. */
async function openBuilds(): Promise<{ root: string; builds: Builds; collect: () => Promise<string[]> }> {
  const root = await makeRoot();
  const builds = new Builds(root);
  for (const [i, build] of ['100', '101', '102'].entries()) {
    const temporary = join(builds.folder, `new-${build}`);
    await mkdir(temporary, { recursive: true });
    const record = { build, installedAt: `2026-01-0${i + 1}T00:00:00.000Z`, demo: true, bytes: 1, contentHash: build };
    await builds.publish(temporary, record);
  }
  await builds.makeCurrent('100');
  const collect = async (): Promise<string[]> => {
    await new Retention(root, builds).collect(recordingRun().run);
    return (await builds.list()).map(({ build }) => build);
  };
  return { root, builds, collect };
}

it('a build of the game stays while a script reads it, though others are installed meanwhile', async () => {
  const { root, builds, collect } = await openBuilds();
  let left: string[] = [];
  const sandbox = new StandInSandbox(async () => {
    await builds.makeCurrent('102');
    left = await collect();
  });
  const scripts = new ScriptBuilds(root, builds, sandbox);
  await scripts.build({ overlay: 7, script: 'true', refuse: [] }, recordingRun().run);
  expect(sandbox.game).toBe(builds.path('100'));
  expect(left).toEqual(['102', '101', '100']);
  expect(await collect()).toEqual(['102', '101']);
});

it('a script reads the build that is current once it holds it', async () => {
  const { root, collect } = await openBuilds();
  /** Another one becomes current, and this one is removed, before the script has said what it reads. */
  class ChangingBuilds extends Builds {
    private changed = false;

    override async require(): Promise<string> {
      const build = await super.require();
      if (!this.changed) {
        this.changed = true;
        await this.makeCurrent('102');
        await collect();
      }
      return build;
    }
  }
  const builds = new ChangingBuilds(root);
  const sandbox = new StandInSandbox(() => Promise.resolve());
  await new ScriptBuilds(root, builds, sandbox).build({ overlay: 7, script: 'true', refuse: [] }, recordingRun().run);
  expect(sandbox.game).toBe(builds.path('102'));
});
