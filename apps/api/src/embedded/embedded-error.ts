/** Something the embedded services cannot do here. The message is one sentence for the person at the terminal. */
export class EmbeddedError extends Error {
  override readonly name: string = 'EmbeddedError';
}

/** Another panel holds the state folder. */
export class StateLocked extends EmbeddedError {
  override readonly name = 'StateLocked';

  constructor(
    readonly folder: string,
    /** Process id of the panel that holds the folder, when it could be read. */
    readonly holder: number | null,
  ) {
    const who = holder === null ? 'Another left4me' : `Another left4me (process ${holder})`;
    super(`${who} is already running on ${folder}. Stop it first, or set LEFT4ME_ROOT to another folder.`);
  }
}
