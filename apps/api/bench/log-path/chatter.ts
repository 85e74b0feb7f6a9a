/*
 * The child of a job: writes lines at a steady rate, each with the time at which it was written, then ends. Like most programs it
 * writes what it has to say in pieces of several lines, a hundred pieces a second.
 * Arguments: milliseconds before the first line, lines per second, number of lines.
 */
import { now, writtenLine } from './line.js';

const PIECE_MS = 10;

const [quietMs = 0, perSecond = 0, count = 0] = process.argv.slice(2).map(Number);
const began = now() + quietMs;
let written = 0;
const timer = setInterval(() => {
  const due = Math.min(count, Math.floor(((now() - began) / 1000) * perSecond));
  if (due <= written) return;
  let piece = '';
  for (; written < due; written += 1) piece += `${writtenLine(written)}\n`;
  process.stdout.write(piece);
  if (written === count) clearInterval(timer);
}, PIECE_MS);
