import { chmod, cp, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CHECKOUT = fileURLToPath(new URL('../../../../', import.meta.url));
const PROJECTS = ['apps/api', 'libs/host'];
const PARTS = ['package.json', 'dist', 'programs'];

/**
 * A copy of the built product with its `// fault point: <name>` comments turned into calls; nothing else of it is changed. It lies
 * in the checkout, so that it finds the same dependencies.
 */
export class FaultyBuild {
  private constructor(private readonly folder: string) {}

  static async make(): Promise<FaultyBuild> {
    const parent = join(CHECKOUT, 'apps/api/coverage');
    await mkdir(parent, { recursive: true });
    const folder = await mkdtemp(join(parent, 'faulty-build-'));
    for (const project of PROJECTS) {
      const [from, to] = [join(CHECKOUT, project), join(folder, project)];
      const parts = (await readdir(from)).filter((name) => PARTS.includes(name));
      for (const part of parts) await cp(join(from, part), join(to, part), { recursive: true });
      await turnIntoCalls(join(to, 'dist'));
    }
    await mkdir(join(folder, 'node_modules/@left4me'), { recursive: true });
    await symlink('../../libs/host', join(folder, 'node_modules/@left4me/host'));
    // Its processes are an ordinary user's.
    await chmod(folder, 0o755);
    return new FaultyBuild(folder);
  }

  get program(): string {
    return join(this.folder, 'apps/api/dist/left4me.js');
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true });
  }
}

async function turnIntoCalls(folder: string): Promise<void> {
  for (const name of await readdir(folder, { recursive: true })) {
    if (!name.endsWith('.js')) continue;
    const source = await readFile(join(folder, name), 'utf8');
    // Processes that are started without fault-points.mjs, such as supervisors, have no such function.
    const call = (_: string, point: string) => `globalThis.left4meFaultPoint?.(${JSON.stringify(point)});`;
    const changed = source.replaceAll(/\/\/ fault point: (.+)$/gm, call);
    if (changed !== source) await writeFile(join(folder, name), changed);
  }
}
