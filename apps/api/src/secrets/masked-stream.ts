import { occurrences, SHORTEST_MASKED } from './occurrences.js';

const STAR = 0x2a;

/**
 * How many bytes before and behind a part of a file have to be read with it, so that a value which lies across the part's border is
 * found.
 */
export function maskMargin(values: readonly string[]): number {
  return Math.max(0, ...bytesOf(values).map((value) => value.length - 1));
}

/**
 * The bytes with an asterisk for every byte of a value, so that sizes and positions stay right; also where a value lies across chunks.
 * Holds back `maskMargin` bytes at most.
 * @param values UTF-8; those shorter than `SHORTEST_MASKED` are left alone
 * @param skip that many bytes at the beginning are only looked at, and not given: what was read before a part (see `maskMargin`)
 */
export async function* maskedStream(
  source: AsyncIterable<unknown>,
  values: readonly string[],
  skip = 0,
): AsyncGenerator<Buffer> {
  const wanted = bytesOf(values);
  const margin = maskMargin(values);
  let left = skip;
  let held = Buffer.alloc(0);
  // So many of the held bytes are part of a value that began before them.
  let covered = 0;

  function given(bytes: Buffer): Buffer {
    const part = bytes.subarray(Math.min(left, bytes.length));
    left -= bytes.length - part.length;
    return part;
  }

  for await (const chunk of source) {
    if (!Buffer.isBuffer(chunk)) throw new Error('a file stream gives buffers');
    const bytes = Buffer.concat([held, chunk]);
    const whole = Math.max(0, bytes.length - margin);
    const ranges = occurrences<Uint8Array>(bytes, wanted);
    const masked = Buffer.from(bytes.subarray(0, whole)).fill(STAR, 0, Math.min(covered, whole));
    let reach = covered;
    for (const { from, to } of ranges) {
      if (from >= whole) break;
      masked.fill(STAR, from, Math.min(to, whole));
      reach = Math.max(reach, to);
    }
    held = bytes.subarray(whole);
    covered = Math.max(0, reach - whole);
    const part = given(masked);
    if (part.length > 0) yield part;
  }
  const rest = Buffer.from(held).fill(STAR, 0, covered);
  for (const { from, to } of occurrences<Uint8Array>(held, wanted)) rest.fill(STAR, from, to);
  const part = given(rest);
  if (part.length > 0) yield part;
}

function bytesOf(values: readonly string[]): Buffer[] {
  return values.map((value) => Buffer.from(value)).filter((value) => value.length >= SHORTEST_MASKED);
}
