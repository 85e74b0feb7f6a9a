import { PathRefused } from '../errors.js';

// Control characters in names break logs and terminals
const CONTROL = /[\u0000-\u001f\u007f]/;
const MAX_COMPONENT_BYTES = 255;
/** Of a path below its tree. */
export const MAX_PATH_BYTES = 2_048;
const SHOWN_PATH_BYTES = 80;

/** Why the path cannot be used below a tree; null when it can. An empty path is a problem too. */
export function pathProblem(path: string): string | null {
  if (path === '') return 'the path is empty';
  if (CONTROL.test(path)) return 'the path must not contain control characters';
  if (path.startsWith('/')) return 'the path must be relative';
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) return `the path is longer than ${MAX_PATH_BYTES} bytes`;
  for (const part of path.split('/')) {
    if (part === '') return 'the path must not contain empty parts';
    if (part === '.' || part === '..') return `the path must not contain "${part}"`;
    if (Buffer.byteLength(part) > MAX_COMPONENT_BYTES) return `a part is longer than ${MAX_COMPONENT_BYTES} bytes`;
  }
  return null;
}

/** The parts of a path; none for ''. Throws `PathRefused`. */
export function pathParts(path: string): string[] {
  if (path === '') return [];
  const problem = pathProblem(path);
  if (problem !== null) throw new PathRefused(path, problem);
  return path.split('/');
}

/** A path as an error shows it: without its middle when it is long. Bytes that are no UTF-8 become U+FFFD. */
export function shortened(path: string | Buffer): string {
  const bytes = Buffer.from(path);
  if (bytes.length <= 2 * SHOWN_PATH_BYTES) return bytes.toString();
  return `${bytes.subarray(0, SHOWN_PATH_BYTES).toString()}…${bytes.subarray(-SHOWN_PATH_BYTES).toString()}`;
}
