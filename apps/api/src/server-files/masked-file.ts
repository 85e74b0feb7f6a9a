import { Readable } from 'node:stream';
import type { FilePart, LayerName, OpenedFile } from '@left4me/host';
import { maskedStream, maskMargin } from '../secrets/masked-stream.js';

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
  secrets: readonly string[],
  [start, end]: readonly [number, number],
  short: 'fails' | 'ends',
): Readable {
  const masked = part(opened, mayTellSecrets(opened.layer) ? secrets : [], start, end, short);
  const stream = Readable.from(masked, { objectMode: false });
  // A generator that nobody has begun to read has nothing to clean up.
  stream.once('close', () => void opened.file.close());
  return stream;
}

async function* part({ file }: OpenedFile, secrets: readonly string[], start: number, end: number, short: string) {
  let left = end - start + 1;
  if (left <= 0) return;
  const margin = maskMargin(secrets);
  const from = Math.max(0, start - margin);
  const source = file.createReadStream({ start: from, end: end + margin, autoClose: false });
  for await (const bytes of maskedStream(source, secrets, start - from)) {
    const wanted = bytes.subarray(0, left);
    left -= wanted.length;
    if (wanted.length > 0) yield wanted;
    if (left === 0) return;
  }
  if (short === 'fails') throw new Error('the file became shorter while it was read');
}

/**
 * Masks parts of a file that is followed: nothing is held back. The beginning of a secret at the end of a part is masked, too. A part may
 * begin anywhere, so its secrets are only known with the `margin` bytes that stand before it.
 */
export class PartMask {
  readonly margin: number;
  private readonly values: readonly Buffer[];

  constructor(private readonly secrets: readonly string[]) {
    this.margin = maskMargin(secrets);
    this.values = secrets.map((secret) => Buffer.from(secret));
  }

  async apply({ before, bytes }: Pick<FilePart, 'before' | 'bytes'>): Promise<Buffer> {
    if (this.margin === 0) return bytes;
    const all = Buffer.concat([before, bytes]);
    const masked: Buffer[] = [];
    for await (const chunk of maskedStream(Readable.from([all]), this.secrets, before.length)) masked.push(chunk);
    const given = Buffer.concat(masked);
    const begun = this.begunAtEnd(all);
    return begun === 0 ? given : given.fill('*', Math.max(0, given.length - begun));
  }

  /** How many bytes at the end may be the beginning of a secret. */
  private begunAtEnd(bytes: Buffer): number {
    return Math.max(0, ...this.values.map((value) => longestBegun(bytes, value)));
  }
}

function longestBegun(bytes: Buffer, value: Buffer): number {
  const from = Math.max(0, bytes.length - value.length + 1);
  const [first] = value;
  if (first === undefined) return 0;
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (value.subarray(0, bytes.length - at).equals(bytes.subarray(at))) return bytes.length - at;
  }
  return 0;
}
