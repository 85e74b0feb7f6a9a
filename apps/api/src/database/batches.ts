interface Waiting<Item, Result> {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/**
 * Gathers calls into one piece of work: those made while an earlier batch is under way are the next one. Nothing waits for a timer, so
 * a call that comes alone costs what it would cost by itself, and a thousand at once cost a few statements.
 */
export class Batches<Item, Result> {
  private waiting: Waiting<Item, Result>[] = [];
  private running = false;

  /**
   * @param work has one result per item, in their order; when it throws, every call of the batch does
   * @param most items of one batch
   */
  constructor(
    private readonly work: (items: Item[]) => Promise<Result[]>,
    private readonly most = 500,
  ) {}

  /** Resolves with the item's own result. */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      if (this.running) return;
      this.running = true;
      // Calls of the same step belong together.
      queueMicrotask(() => void this.run());
    });
  }

  private async run(): Promise<void> {
    while (this.waiting.length > 0) await this.one(this.waiting.splice(0, this.most));
    this.running = false;
  }

  private async one(batch: Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.work(batch.map(({ item }) => item));
      if (results.length !== batch.length) throw new Error(`${batch.length} items had ${results.length} results.`);
      for (const [index, result] of results.entries()) batch[index]?.resolve(result);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
