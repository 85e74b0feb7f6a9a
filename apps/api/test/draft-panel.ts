import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startApp } from './app.js';

export type DraftPanel = Awaited<ReturnType<typeof startDrafts>>;

/** A panel with two users, and what tests of drafts do there. The overlays are anna's. */
export async function startDrafts() {
  const panel = await startApp();
  const work = await mkdtemp(path.join(tmpdir(), 'left4me-drafts-'));
  const [anna, ben] = [await panel.user('anna'), await panel.user('ben')];
  const folderOf = (id: number) => path.join(panel.settings.root, 'drafts', String(id));
  let count = 0;
  return {
    panel,
    anna,
    ben,
    work,
    folderOf,
    sql: (text: string, values: unknown[] = []) => panel.database.query(text, values),

    overlay: async (): Promise<number> =>
      (
        await anna
          .post('/api/v1/overlays')
          .send({ name: `draft-${(count += 1)}` })
          .expect(201)
      ).body.id,

    put: (id: number, file: string, body: string | Buffer) =>
      anna.put(contentOf(id, file)).set('Content-Type', 'application/octet-stream').send(body),

    /** What lies beside the drafts. */
    temporary: async () => readdir(path.join(panel.settings.root, 'drafts/.tmp')).catch(() => []),

    filesOf: async (id: number): Promise<Record<string, string>> => {
      const found: Record<string, string> = {};
      for (const entry of await readdir(folderOf(id), { withFileTypes: true, recursive: true })) {
        const file = path.join(entry.parentPath, entry.name);
        if (entry.isFile()) found[path.relative(folderOf(id), file)] = await readFile(file, 'utf8');
      }
      return found;
    },

    /** A tar of these files. */
    packed: async (files: Record<string, string>, ...options: string[]): Promise<Buffer> => {
      const source = await mkdtemp(path.join(work, 'source-'));
      for (const [file, text] of Object.entries(files)) {
        await mkdir(path.dirname(path.join(source, file)), { recursive: true });
        await writeFile(path.join(source, file), text);
      }
      return execFileSync('tar', ['--create', ...options, '--file', '-', '--directory', source, '.']);
    },

    close: async () => {
      await panel.close();
      await rm(work, { recursive: true });
    },
  };
}

/** A route of an overlay. */
export const at = (id: number, rest: string) => `/api/v1/overlays/${id}/${rest}`;

export const contentOf = (id: number, file: string) => at(id, `files/content?path=${encodeURIComponent(file)}`);
