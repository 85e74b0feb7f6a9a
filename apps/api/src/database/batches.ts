import pg from 'pg';

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
   * @param work has one result per item, in their order, or has done nothing when it throws; when the database refuses what is in
   *   one of the items, each gets its own answer, and after any other error every call of the batch throws
   * @param most weight of one batch
   * @param weigh what an item weighs; without it 1
   */
  constructor(
    private readonly work: (items: Item[]) => Promise<Result[]>,
    private readonly most = 500,
    private readonly weigh: (item: Item) => number = () => 1,
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
    while (this.waiting.length > 0) await this.one(this.waiting.splice(0, this.next()));
    this.running = false;
  }

  /** How many of those that wait are the next batch: one at least. */
  private next(): number {
    let weight = 0;
    const first = this.waiting.findIndex(({ item }) => (weight += this.weigh(item)) > this.most);
    return first === -1 ? this.waiting.length : Math.max(first, 1);
  }

  private async one(batch: Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.work(batch.map(({ item }) => item));
      if (results.length !== batch.length) throw new Error(`${batch.length} items had ${results.length} results.`);
      for (const [index, result] of results.entries()) batch[index]?.resolve(result);
    } catch (error) {
      if (batch.length > 1 && isOfOne(error)) for (const single of batch) await this.one([single]);
      else for (const { reject } of batch) reject(error);
    }
  }
}

/** A value that cannot be stored, or a broken constraint: the statement is undone, and the other items may be fine. */
function isOfOne(error: unknown): boolean {
  return error instanceof pg.DatabaseError && /^2[23]/.test(error.code ?? '');
}
