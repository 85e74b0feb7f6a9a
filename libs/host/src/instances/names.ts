import { InvalidName } from '../errors.js';

const INSTANCE = /^[a-z0-9][a-z0-9-]{0,31}$/;
const BUILD = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const FOLDER = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** Returns the name, so that it can be checked where a path is made of it. Throws `InvalidName`. */
export function instanceName(name: string): string {
  if (!INSTANCE.test(name)) {
    throw new InvalidName('server name', name, 'a-z, 0-9 and "-", at most 32 characters, not starting with "-"');
  }
  return name;
}

export function isInstanceName(name: string): boolean {
  return INSTANCE.test(name);
}

/** Throws `InvalidName`. */
export function buildName(build: string): string {
  if (!BUILD.test(build) || build === 'current') {
    throw new InvalidName('build', build, 'a-z, 0-9, ".", "_" and "-", at most 64 characters, not "current"');
  }
  return build;
}

/** Of a folder that is named after a job. Throws `InvalidName`. */
export function jobFolder(name: string): string {
  if (!FOLDER.test(name)) throw new InvalidName('folder', name, 'a-z, 0-9, ".", "_" and "-", at most 64 characters');
  return name;
}

/** `<server>/<job>`. Throws `InvalidName`. */
export function trashPath(path: string): string {
  const parts = path.split('/');
  if (parts.length !== 2 || !parts.every((part) => FOLDER.test(part))) {
    throw new InvalidName('trash folder', path, 'it must look like <server>/<job>');
  }
  return path;
}

/** Whether a folder of the trash can be a part of a `trashPath`. */
export function isTrashFolder(name: string): boolean {
  return FOLDER.test(name);
}

/** Of an overlay or a revision. Throws `InvalidName`. */
export function numericId(kind: string, id: number): string {
  if (!Number.isInteger(id) || id < 1) throw new InvalidName(kind, String(id), 'a positive whole number');
  return String(id);
}
