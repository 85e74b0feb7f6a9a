import { Readable } from 'node:stream';
import type { LayerName, OpenedFile } from '@left4me/host';
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
 * Masks parts of a file that come one after the other, as they are: nothing is held back. The beginning of a secret at the end of a part
 * is masked, too, and its rest in the next one.
 */
export class PartMask {
  private before: Buffer = Buffer.alloc(0);
  private readonly margin: number;
  private readonly values: readonly Buffer[];

  constructor(private readonly secrets: readonly string[]) {
    this.margin = maskMargin(secrets);
    this.values = secrets.map((secret) => Buffer.from(secret));
  }

  async next(bytes: Buffer, anew: boolean): Promise<Buffer> {
    if (this.margin === 0) return bytes;
    const known = anew ? Buffer.alloc(0) : this.before;
    const all = Buffer.concat([known, bytes]);
    const masked: Buffer[] = [];
    for await (const chunk of maskedStream(Readable.from([all]), this.secrets, known.length)) masked.push(chunk);
    this.before = all.subarray(-this.margin);
    const given = Buffer.concat(masked);
    const begun = this.begunAtEnd(all);
    return begun === 0 ? given : given.fill('*', Math.max(0, given.length - begun));
  }

  /** How many bytes at the end may be the beginning of a secret. */
  private begunAtEnd(bytes: Buffer): number {
    for (let length = Math.min(this.margin, bytes.length); length > 0; length--) {
      const end = bytes.subarray(-length);
      if (this.values.some((value) => value.length > length && value.subarray(0, length).equals(end))) return length;
    }
    return 0;
  }
}
