import type { Output } from '../host.js';
import { type PrintedLine, tellingLine } from './telling-line.js';

/** What a program said last. */
export class LastLines {
  private readonly lines: PrintedLine[] = [];

  /** An output that is listened to. */
  heard(output: Output): Output {
    return {
      write: (stream, line) => {
        if (this.lines.push({ stream, line }) > 10) this.lines.shift();
        return output.write(stream, line);
      },
      progress: (percent, text) => output.progress(percent, text),
    };
  }

  /** Why it failed, in its own words first. */
  explain(program: string, exitCode: number): string {
    const told = tellingLine(this.lines);
    const end = `${program} ended with code ${exitCode}`;
    return told === null ? end : `${told.cause} (${end})`;
  }
}
