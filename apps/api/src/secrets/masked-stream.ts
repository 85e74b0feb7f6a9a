import type { SecretFinder, SecretPass } from './secret-finder.js';

const STAR = 0x2a;

/**
 * The bytes with an asterisk for every byte of a value, so that sizes and positions stay right; also where a value lies across chunks.
 * Holds back only what may be the beginning of one.
 * @param skip that many bytes at the beginning are only looked at, and not given: what was read before a part (`SecretFinder.margin`)
 */
export async function* maskedStream(
  source: AsyncIterable<unknown>,
  secrets: SecretFinder,
  skip = 0,
): AsyncGenerator<Buffer> {
  const pass = secrets.pass();
  let left = skip;
  let held: Buffer = Buffer.alloc(0);

  function given(bytes: Buffer): Buffer {
    const part = bytes.subarray(Math.min(left, bytes.length));
    left -= bytes.length - part.length;
    return part;
  }

  for await (const chunk of source) {
    if (!Buffer.isBuffer(chunk)) throw new Error('a file stream gives buffers');
    const bytes = masked(held, chunk, pass);
    const whole = bytes.length - pass.begun;
    held = bytes.subarray(whole);
    const part = given(bytes.subarray(0, whole));
    if (part.length > 0) yield part;
  }
  const part = given(held);
  if (part.length > 0) yield part;
}

/** Both, with an asterisk for every byte of a value that ends in `chunk`. */
export function masked(held: Buffer, chunk: Buffer, pass: SecretPass): Buffer {
  const bytes = Buffer.concat([held, chunk]);
  for (const { from, to } of pass.over(chunk)) bytes.fill(STAR, held.length + from, held.length + to);
  return bytes;
}
