import { Readable } from 'node:stream';
import type { FilePart, LayerName, OpenedFile } from '@left4me/host';
import { masked, maskedStream } from '../secrets/masked-stream.js';
import { SecretFinder } from '../secrets/secret-finder.js';

/**
 * Those of a server, asked for as late as possible: files are followed, and folders packed, for so long that the server may be given others
 * meanwhile.
 */
export type KnownSecrets = () => Promise<SecretFinder>;

/** What the panel generates has its secrets in it, and what a server wrote may repeat them. */
function mayTellSecrets({ kind }: LayerName): boolean {
  return kind === 'own' || kind === 'generated';
}

/**
 * A part of an open file, from byte `start` to byte `end`, with an asterisk for each byte of a secret. Closes the file when it ends.
 * @param short what a file that has become shorter does: `fails`, so that nobody takes the part for a whole one, or `ends`
 */
export function maskedPart(
  opened: OpenedFile,
  secrets: KnownSecrets,
  [start, end]: readonly [number, number],
  short: 'fails' | 'ends',
): Readable {
  const bytes = part(opened, secrets, start, end, short);
  const stream = Readable.from(bytes, { objectMode: false });
  // A generator that nobody has begun to read has nothing to clean up.
  stream.once('close', () => void opened.file.close());
  return stream;
}

async function* part({ file, layer }: OpenedFile, known: KnownSecrets, start: number, end: number, short: string) {
  let left = end - start + 1;
  if (left <= 0) return;
  const secrets = mayTellSecrets(layer) ? await known() : SecretFinder.none;
  const from = Math.max(0, start - secrets.margin);
  const source = file.createReadStream({ start: from, end: end + secrets.margin, autoClose: false });
  for await (const bytes of maskedStream(source, secrets, start - from)) {
    const wanted = bytes.subarray(0, left);
    left -= wanted.length;
    if (wanted.length > 0) yield wanted;
    if (left === 0) return;
  }
  if (short === 'fails') throw new Error('the file became shorter while it was read');
}

/**
 * A part of a file that is followed, masked: nothing is held back. The beginning of a secret at its end is masked, too. It may begin
 * anywhere, so its secrets are only known with the `SecretFinder.margin` bytes that stand before it.
 */
export function maskedPiece({ before, bytes }: Pick<FilePart, 'before' | 'bytes'>, secrets: SecretFinder): Buffer {
  const pass = secrets.pass();
  pass.over(before);
  const piece = masked(before, bytes, pass).subarray(before.length);
  return piece.fill('*', Math.max(0, piece.length - pass.begun));
}
