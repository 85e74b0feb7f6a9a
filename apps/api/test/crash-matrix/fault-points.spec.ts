import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { operations } from '../../src/jobs/job.entity.js';
import { allCells, representative, titleOf } from './cells.js';
import { Faults } from './faults.js';

const PROJECTS = ['../../', '../../../../libs/host/'].map((path) => fileURLToPath(new URL(path, import.meta.url)));
const COMMENT = /^\s*\/\/ fault point: (.+)$/gm;

let sources: string;
let built: string;
beforeAll(async () => {
  sources = await textOf('src', '.ts');
  built = await textOf('dist', '.js');
});

async function textOf(folder: string, ending: string): Promise<string> {
  const texts = PROJECTS.map(async (project) => {
    const names = await readdir(join(project, folder), { recursive: true });
    const files = names.filter((name) => name.endsWith(ending) && !name.endsWith(`.spec${ending}`));
    return Promise.all(files.toSorted().map((name) => readFile(join(project, folder, name), 'utf8')));
  });
  return (await Promise.all(texts)).flat().join('\n');
}

const pointsOf = (text: string): string[] => [...text.matchAll(COMMENT)].map(([, name = '']) => name).toSorted();
const distinct = (names: readonly string[]): string[] => [...new Set(names)].toSorted();

describe('the fault points', () => {
  it('are all in the matrix, and in the part of it that every test run does', () => {
    const points = distinct(pointsOf(sources));
    expect(points.length).toBeGreaterThan(30);
    expect(distinct(allCells().map(({ point }) => point))).toEqual(points);
    const part = representative(allCells());
    expect(distinct(part.map(({ point }) => point))).toEqual(points);
    expect(distinct(part.map(({ operation }) => operation))).toEqual([...operations].toSorted());
    expect(new Set(allCells().map(titleOf)).size).toBe(allCells().length);
  });

  it('are comments in the product, and nothing else', () => {
    expect(pointsOf(built)).toEqual(pointsOf(sources));
    for (const text of [sources, built]) {
      expect(text.replaceAll(COMMENT, '')).not.toMatch(/fault point|faultPoint|LEFT4ME_TEST/i);
    }
  });

  it('fail their cell when nobody passes them', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'left4me-faults-'));
    const faults = await Faults.in(folder);
    await faults.arm({ point: 'nowhere', action: 'die' });
    await expect(faults.reached('nowhere', 0.1)).rejects.toThrow('the process passes the fault point "nowhere"');
    await rm(folder, { recursive: true });
  });
});
