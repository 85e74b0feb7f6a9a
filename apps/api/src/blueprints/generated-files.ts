import { hiddenBytes, MAX_HIDDEN_BYTES, pathProblem } from '@left4me/host';
import type { FieldError } from '../problems/problems.js';
import type { BlueprintFile } from './blueprint.entity.js';
import { checkTemplate } from './template.js';

export const MAX_FILES = 64;
/** UTF-8 bytes of all contents together. */
export const MAX_FILES_BYTES = 256 * 1024;
export const MAX_HIDDEN = 200;
const MAX_REPORTED = 20;

const serverCfg = 'left4dead2/cfg/server.cfg';
const exposedCfg = /^left4dead2\/cfg\/server_overlay_\d+\.cfg(\/|$)/;
/** Without these no server starts, or (valve.rc) it hangs in hibernation with RCON dead. */
const essentials = [
  'srcds_run',
  'srcds_linux',
  'bin',
  'left4dead2/bin',
  'left4dead2/gameinfo.txt',
  'left4dead2/cfg/valve.rc',
];
const programs = ['srcds_run', 'srcds_linux'];
const folders = ['bin', 'left4dead2', 'left4dead2/bin', 'left4dead2/cfg', 'left4dead2/addons', 'left4dead2/maps'];

const isOrIsIn = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`);

/** What is wrong with a blueprint's files; paths are `files.<index>.path` and `files.<index>.content`. */
export function checkFiles(files: readonly BlueprintFile[], secrets: ReadonlySet<string>): FieldError[] {
  if (files.length > MAX_FILES) return [{ path: 'files', message: `at most ${MAX_FILES} files` }];
  const bytes = files.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
  if (bytes > MAX_FILES_BYTES)
    return [
      { path: 'files', message: `have more than ${MAX_FILES_BYTES} bytes in all: put large files into an overlay` },
    ];
  const paths = files.map(({ path }) => path);
  const errors = files.flatMap(({ path, content }, index) => [
    ...told(`files.${index}.path`, fileProblem(path) ?? collision(paths, index)),
    ...contentProblems(content, secrets).map((message) => ({ path: `files.${index}.content`, message })),
  ]);
  return errors.slice(0, MAX_REPORTED);
}

/** What is wrong with a blueprint's hidden paths, beside its files; paths are `hide.<index>`. */
export function checkHide(hide: readonly string[], files: readonly BlueprintFile[]): FieldError[] {
  if (hide.length > MAX_HIDDEN) return [{ path: 'hide', message: `at most ${MAX_HIDDEN} paths` }];
  const bytes = hiddenBytes(hide);
  if (bytes > MAX_HIDDEN_BYTES)
    return [{ path: 'hide', message: `have ${bytes} bytes, at most ${MAX_HIDDEN_BYTES} in all: hide their folder` }];
  const errors = hide.flatMap((path, index) =>
    told(`hide.${index}`, hiddenProblem(path) ?? collision(hide, index) ?? writtenProblem(path, files)),
  );
  return errors.slice(0, MAX_REPORTED);
}

const told = (path: string, message: string | null): FieldError[] => (message === null ? [] : [{ path, message }]);

function layerPathProblem(path: string): string | null {
  const problem = pathProblem(path);
  if (problem !== null) return problem;
  if (!path.isWellFormed()) return 'the path must be well-formed Unicode';
  // They separate layers and options where the layers are mounted.
  return /[:,\\]/.test(path) ? 'the path must not contain ":", "," or "\\"' : null;
}

function fileProblem(path: string): string | null {
  const problem = layerPathProblem(path);
  if (problem !== null) return problem;
  const lower = path.toLowerCase();
  if (isOrIsIn(lower, serverCfg)) return `${serverCfg} is written from config: put its lines there`;
  if (exposedCfg.test(lower)) return `${path} is the name that an overlay's own server.cfg gets (exposeServerCfg)`;
  if (folders.includes(lower)) return `${path} is a folder of the game`;
  if (programs.some((program) => isOrIsIn(lower, program)))
    return `${path} starts the server: a program comes with an overlay`;
  return null;
}

function hiddenProblem(path: string): string | null {
  const problem = layerPathProblem(path);
  if (problem !== null) return problem;
  const lower = path.toLowerCase();
  if (isOrIsIn(serverCfg, lower) || isOrIsIn(lower, serverCfg))
    return `${path} holds what the panel writes (${serverCfg}), which cannot be hidden`;
  if (exposedCfg.test(lower)) return `${path} is written by the panel: switch exposeServerCfg off instead`;
  const needed = essentials.find((essential) => isOrIsIn(essential, lower));
  return needed === undefined ? null : `no server starts without ${needed}`;
}

/** A path that is there twice, or below another one, which is no folder. */
function collision(paths: readonly string[], index: number): string | null {
  const path = paths[index] ?? '';
  if (paths.indexOf(path) < index) return `${path} is there twice`;
  const parent = paths.find((other) => path.startsWith(`${other}/`));
  return parent === undefined ? null : `${parent} is in the list itself, so nothing can be below it`;
}

function writtenProblem(hidden: string, files: readonly BlueprintFile[]): string | null {
  const file = files.find(({ path }) => isOrIsIn(path, hidden) || isOrIsIn(hidden, path));
  return file === undefined ? null : `files writes ${file.path}: what is written cannot be hidden`;
}

function contentProblems(content: string, secrets: ReadonlySet<string>): string[] {
  if (content.includes('\0')) return ['must not contain NUL'];
  if (!content.isWellFormed()) return ['must be well-formed Unicode'];
  return checkTemplate(content, secrets).map(
    ({ line, column, message }) => `line ${line}, column ${column}: ${message}`,
  );
}
