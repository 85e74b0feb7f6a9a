import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import type { Queue } from 'bullmq';
import type { RequestHandler } from 'express';

/** Bull board itself, at `path`. */
export class Board {
  private readonly server: ExpressAdapter;
  private readonly board: ReturnType<typeof createBullBoard>;

  constructor(path: string) {
    this.server = new ExpressAdapter().setBasePath(path);
    this.board = createBullBoard({
      queues: [],
      serverAdapter: this.server,
      options: { uiConfig: { boardTitle: 'left4me queues' } },
    });
  }

  get handler(): RequestHandler {
    return this.server.getRouter();
  }

  add(queue: Queue, displayName: string): void {
    this.board.addQueue(new BullMQAdapter(queue, { displayName }));
  }
}
