/** What a line of NDJSON brings: a job's line, a server's line, a ping or the end. */
export interface StreamItem {
  seq?: number;
  position?: string;
  line?: string;
  stream?: string;
  at?: string;
  ping?: true;
  truncated?: true;
  skipped?: number;
  end?: { state: string; exitCode: number | null };
}

/** Reads a followed log the way `curl -N` does: bytes as they come. */
export class LogFollower {
  /** Everything received so far. */
  text = '';
  /** The server ended the response. */
  ended = false;
  private constructor(
    readonly response: Response,
    private readonly abort: AbortController,
  ) {
    void this.read();
  }

  /** @param headers beside the cookie: `Accept`, `Last-Event-ID` */
  static async open(url: string, cookie: string, headers: Record<string, string> = {}): Promise<LogFollower> {
    const abort = new AbortController();
    const response = await fetch(url, { headers: { cookie, ...headers }, signal: abort.signal });
    return new LogFollower(response, abort);
  }

  private async read(): Promise<void> {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of this.response.body ?? []) this.text += decoder.decode(chunk, { stream: true });
      this.ended = true;
    } catch {
      // Left, or the panel was killed: `ended` stays false.
    }
  }

  /** The complete lines so far. */
  get lines(): string[] {
    return this.text.split('\n').slice(0, -1);
  }

  /** The complete lines as NDJSON. */
  get items(): StreamItem[] {
    return this.lines.map((line): StreamItem => JSON.parse(line));
  }

  /** The lines of a server's log among the items. */
  get serverLines(): { position: string; line: string }[] {
    return this.items.flatMap(({ position, line }) =>
      position === undefined || line === undefined ? [] : [{ position, line }],
    );
  }

  leave(): void {
    this.abort.abort();
  }
}
