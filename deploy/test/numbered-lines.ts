import { eventually } from './eventually.js';
import type { Panel } from './panel.js';

/** Reads what a server prints as `line 1`, `line 2` …, from where its log is now. */
export class NumberedLines {
  readonly seen: number[] = [];

  private constructor(
    private readonly panel: Panel,
    readonly server: string,
    private position: string,
  ) {}

  /** Where a server has only just been started, its log may be empty yet. */
  static async from(panel: Panel, server: string): Promise<NumberedLines> {
    let position = '';
    await eventually(`${server} has printed something`, async () => {
      const [last] = await panel.logs(server, 'lines=1');
      position = last?.position ?? '';
      return position !== '';
    });
    return new NumberedLines(panel, server, position);
  }

  /** Reads up to a line that was printed. @throws after half a minute */
  async readUpTo(number: number): Promise<void> {
    const limit = Date.now() + 30_000;
    while ((this.seen.at(-1) ?? 0) < number) {
      if (Date.now() > limit) throw new Error(`${this.server}: line ${number} is not in its log`);
      const lines = await this.panel.logs(this.server, `after=${this.position}&lines=2000`);
      this.position = lines.at(-1)?.position ?? this.position;
      for (const { line } of lines) if (line.startsWith('line ')) this.seen.push(Number(line.slice('line '.length)));
    }
  }

  /** The numbers that do not follow the one before them. */
  gaps(): string[] {
    return this.seen.flatMap((number, index) => {
      const before = this.seen[index - 1];
      return before === undefined || number === before + 1 ? [] : [`${this.server}: ${before}, then ${number}`];
    });
  }
}
