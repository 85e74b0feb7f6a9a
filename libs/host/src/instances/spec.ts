import { parseDocument, stringify } from 'yaml';
import { HostError, InvalidSpec } from '../errors.js';
import { pathProblem } from '../overlay/relative-path.js';
import { buildName } from './names.js';

/** What an instance is made of, with every revision and (after initialize) the build pinned. */
export interface Spec {
  /** UDP and TCP, 1024–65535. */
  port: number;
  /** Pinned runtime build; without it the current one is pinned by initialize. */
  build?: string;
  /** `<id>/<revision>`, the first wins. */
  overlays: string[];
  /** For srcds, after the ones the library owns. */
  arguments: string[];
  /** The generated layer, above all overlays. */
  files: { path: string; content: string }[];
  /** Shipped paths that the server shall not see. */
  hide: string[];
}

/** Those of two generations are told to a program in one argument, of which Linux takes 128 KiB (MAX_ARG_STRLEN). */
export const MAX_HIDDEN_BYTES = 24 * 1024;

const KEYS = ['port', 'build', 'overlays', 'arguments', 'files', 'hide'];
const REVISION = /^[1-9][0-9]{0,9}\/[1-9][0-9]{0,9}$/;
/** They separate layers and options in overlayfs's mount options. */
const SEPARATORS = /[:,\\]/;

/** Reads a specification file (YAML or JSON). Throws `InvalidSpec`, naming the field. */
export function parseSpec(yaml: string): Spec {
  const document = parseDocument(yaml);
  const [error] = document.errors;
  if (error !== undefined) throw new InvalidSpec('(file)', error.message);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw new InvalidSpec('(file)', cause instanceof Error ? cause.message : String(cause));
  }
  return validateSpec(value);
}

/** The text that `parseSpec` reads. */
export function formatSpec(spec: Spec): string {
  return stringify(spec, { lineWidth: 0 });
}

/** Checks every field and returns a copy that holds nothing else. Throws `InvalidSpec`, naming the field. */
export function validateSpec(value: unknown): Spec {
  const fields = record(value, '(specification)', KEYS);
  const spec: Spec = {
    port: port(fields.port),
    overlays: list(fields.overlays, 'overlays').map((item, i) => revision(item, `overlays[${i}]`)),
    arguments: list(fields.arguments, 'arguments').map((item, i) => oneLine(item, `arguments[${i}]`)),
    files: list(fields.files, 'files').map((item, i) => generatedFile(item, `files[${i}]`)),
    hide: list(fields.hide, 'hide').map((item, i) => layerPath(item, `hide[${i}]`)),
  };
  if (fields.build !== undefined) spec.build = build(fields.build);
  refuseDuplicates(spec.overlays, 'overlays');
  const bytes = hiddenBytes(spec.hide);
  if (bytes > MAX_HIDDEN_BYTES) throw new InvalidSpec('hide', `has ${bytes} bytes, at most ${MAX_HIDDEN_BYTES} in all`);
  refuseConflicts(spec);
  return spec;
}

/** How many bytes hidden paths take together. */
export function hiddenBytes(hide: readonly string[]): number {
  return hide.reduce((sum, path) => sum + Buffer.byteLength(JSON.stringify(path)), 0);
}

function record(value: unknown, path: string, keys: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidSpec(path, 'must be a mapping');
  }
  const fields: Record<string, unknown> = Object.fromEntries(Object.entries(value));
  for (const key of Object.keys(fields)) {
    if (!keys.includes(key))
      throw new InvalidSpec(path.startsWith('(') ? key : `${path}.${key}`, 'is not a known field');
  }
  return fields;
}

function list(value: unknown, path: string): unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new InvalidSpec(path, 'must be a list');
  return value;
}

function text(value: unknown, path: string): string {
  if (typeof value !== 'string') throw new InvalidSpec(path, 'must be a text');
  if (value.includes('\0')) throw new InvalidSpec(path, 'must not contain NUL');
  return value;
}

function oneLine(value: unknown, path: string): string {
  const line = text(value, path);
  if (/[\r\n]/.test(line)) throw new InvalidSpec(path, 'must not contain a line break');
  return line;
}

function port(value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1024 || value > 65535) {
    throw new InvalidSpec('port', 'must be a whole number from 1024 to 65535');
  }
  return value;
}

function build(value: unknown): string {
  const name = oneLine(value, 'build');
  try {
    return buildName(name);
  } catch (error) {
    throw error instanceof HostError ? new InvalidSpec('build', error.message) : error;
  }
}

function revision(value: unknown, path: string): string {
  const layer = oneLine(value, path);
  if (SEPARATORS.test(layer)) throw new InvalidSpec(path, 'must not contain ":", "," or "\\"');
  if (!REVISION.test(layer)) throw new InvalidSpec(path, 'must look like <overlay>/<revision>');
  return layer;
}

function layerPath(value: unknown, path: string): string {
  const relative = oneLine(value, path);
  const problem = pathProblem(relative);
  if (problem !== null) throw new InvalidSpec(path, problem);
  if (SEPARATORS.test(relative)) throw new InvalidSpec(path, 'must not contain ":", "," or "\\"');
  return relative;
}

function generatedFile(value: unknown, path: string): { path: string; content: string } {
  const fields = record(value, path, ['path', 'content']);
  return { path: layerPath(fields.path, `${path}.path`), content: text(fields.content, `${path}.content`) };
}

function refuseDuplicates(values: readonly string[], path: string): void {
  const at = values.findIndex((value, i) => values.indexOf(value) !== i);
  if (at >= 0) throw new InvalidSpec(`${path}[${at}]`, `${values[at] ?? ''} is there twice`);
}

/** A file below another file, or a hidden path that the generated layer needs, cannot be laid out. */
function refuseConflicts(spec: Spec): void {
  const paths = spec.files.map((file) => file.path);
  refuseDuplicates(paths, 'files');
  paths.forEach((path, i) => {
    const parent = paths.find((other) => path.startsWith(`${other}/`));
    if (parent !== undefined) throw new InvalidSpec(`files[${i}].path`, `${parent} is a file already`);
  });
  spec.hide.forEach((hidden, i) => {
    const needed = [...paths, ...spec.hide.filter((_, j) => j !== i)];
    if (needed.some((path) => path === hidden || path.startsWith(`${hidden}/`) || hidden.startsWith(`${path}/`))) {
      throw new InvalidSpec(`hide[${i}]`, `${hidden} collides with another path of files or hide`);
    }
  });
}
