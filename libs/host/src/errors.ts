import { type PrintedLine, tellingLine } from './process/telling-line.js';

/**
 * The library's errors. Each has a stable `code`, so that a caller can map it without comparing texts; the message is a
 * sentence for the person who reads it.
 */
export class HostError extends Error {
  /** Stable, kebab-case. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The specification of an instance breaks a rule; `path` names the field, like `overlays[2]`. */
export class InvalidSpec extends HostError {
  constructor(
    readonly path: string,
    readonly problem: string,
  ) {
    super('invalid-spec', `${path}: ${problem}`);
  }
}

/** A name (of an instance, a build, a trash folder …) that is not allowed. */
export class InvalidName extends HostError {
  constructor(kind: string, value: string, rule: string) {
    super('invalid-name', `${JSON.stringify(value)} is not a valid ${kind}: ${rule}`);
  }
}

/** A path that would leave its tree, or leads through a link. Nothing was written. */
export class PathRefused extends HostError {
  constructor(
    readonly path: string,
    readonly problem: string,
  ) {
    super('path-refused', `${JSON.stringify(path)}: ${problem}`);
  }
}

/** The file or folder does not exist in its tree. */
export class NotFound extends HostError {
  constructor(what: string) {
    super('not-found', `${what} does not exist`);
  }
}

/** The body is larger than its limit. Nothing was kept. */
export class TooLarge extends HostError {
  constructor(readonly limitBytes: number) {
    super('too-large', `larger than the limit of ${limitBytes} bytes`);
  }
}

/** An archive that cannot be unpacked, or must not be: damaged, not an archive, over a limit, or with a path that leads outside. */
export class ArchiveRefused extends HostError {
  constructor(problem: string, options?: ErrorOptions) {
    super('archive-refused', problem, options);
  }
}

/** Writing on would fill the disk. What was written for it is removed. */
export class DiskFull extends HostError {
  constructor(freeBytes: number, reserveBytes: number) {
    super('disk-full', `only ${freeBytes} bytes are free on the disk, and ${reserveBytes} are kept free`);
  }
}

/** What was to be replaced is not what the caller has seen. Nothing was written. */
export class Changed extends HostError {
  constructor(path: string, how = 'was changed in the meantime') {
    super('changed', `${JSON.stringify(path)} ${how}`);
  }
}

/** Something with this name, or with these names, is there already. Nothing was changed. */
export class Exists extends HostError {
  /** @param more whether there are others that are not named */
  constructor(paths: string | readonly string[], more = false) {
    const names = [paths].flat().map((path) => JSON.stringify(path));
    super('exists', `${names.join(', ')}${more ? ' and others' : ''} ${names.length > 1 ? 'exist' : 'exists'} already`);
  }
}

/** VPKs that the game cannot read, which would make it crash again and again. */
export class BrokenVpks extends HostError {
  constructor(readonly paths: readonly string[]) {
    super('broken-vpk', `VPKs that would crash the game: ${paths.join(', ')}. Replace or delete them`);
  }
}

/** A program ended unsuccessfully. `exitCode` is 128 + signal when a signal ended it. */
export class CommandFailed extends HostError {
  constructor(
    readonly exitCode: number,
    readonly command: readonly string[],
    message?: string,
    code = 'command-failed',
  ) {
    super(code, message ?? `${command[0] ?? 'command'} ended with code ${exitCode}`);
  }
}

/**
 * The server ended before it ran. Its message begins with the cause, as lists have room for the first words only; `lastLines` are the
 * last ones that it or its launcher printed.
 */
export class StartFailed extends CommandFailed {
  readonly lastLines: readonly string[];

  /** @param port the one that the server was to have, when its own lines may tell of it */
  constructor(
    { name, port }: { name: string; port: number | null },
    exitCode: number,
    reason: string,
    printed: readonly PrintedLine[],
  ) {
    const told = tellingLine(printed, port);
    const also = told && told.others.length > 0 ? `; it also said: ${told.others.join(' | ')}` : '';
    const failed = `${name} did not start: ${reason}`;
    super(exitCode, ['srcds_run'], told === null ? failed : `${told.cause} (${failed}${also})`, 'start-failed');
    this.lastLines = printed.map(({ line }) => line);
  }
}

/** The build is not installed, or none is. */
export class NoRuntime extends HostError {
  constructor(build?: string) {
    super(
      'no-runtime',
      build === undefined ? 'The game is not installed: run install first' : `Build ${build} is not installed`,
    );
  }
}

/** The build that was asked for is not among the installed ones; Steam gives only its newest. */
export class BuildNotInstalled extends HostError {
  constructor(
    build: string,
    readonly installed: readonly string[],
  ) {
    const others = installed.length === 0 ? 'none is installed' : `installed are: ${installed.join(', ')}`;
    super(
      'build-not-installed',
      `Build ${build} is not installed on this host, and Steam gives its newest one only; ${others}`,
    );
  }
}

/** The instance was never initialized. */
export class NotInitialized extends HostError {
  constructor(name: string) {
    super('not-initialized', `${name} has not been initialized`);
  }
}

/** The operation is for a server that does not run. Nothing was changed. */
export class ServerRuns extends HostError {
  constructor(name: string, what: string) {
    super('server-runs', `${name} runs: stop it before ${what}`);
  }
}

/** Nothing of a server that runs, or that a job works on, is changed. */
export class InstanceBusy extends HostError {
  constructor(name: string, why: string) {
    super('instance-busy', `${name} ${why}`);
  }
}

/** The caller's signal stopped the operation. */
export class Interrupted extends HostError {
  constructor(what: string) {
    super('interrupted', `${what} was interrupted`);
  }
}

/** The operation did not end within its limit and was stopped. */
export class TimedOut extends HostError {
  constructor(what: string, limitMs: number) {
    super('timed-out', `${what} did not end within ${Math.round(limitMs / 1000)} s and was stopped`);
  }
}

/** The script of an overlay was stopped because of a limit, which the message tells. */
export class ScriptStopped extends HostError {
  constructor(what: string) {
    super('script-stopped', `the script was stopped: ${what}`);
  }
}

/** This part of left4me is not there yet, or not on this machine. */
export class NotSupported extends HostError {
  constructor(message: string) {
    super('not-supported', message);
  }
}
