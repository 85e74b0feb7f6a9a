import { EventEmitter } from 'node:events';
import { Injectable } from '@nestjs/common';

/**
 * Says that what a user may do, or one of their sessions and tokens, has changed or ended, so that open connections ask at once
 * whether they may still be. Within this process only: others ask by themselves now and then.
 */
@Injectable()
export class LoginChanges {
  private readonly emitter = new EventEmitter().setMaxListeners(0);

  /** To be called after the commit. */
  tell(userId: number): void {
    this.emitter.emit(`user:${userId}`);
  }

  /** Calls `listener` at every change of the user; the returned function ends that. */
  on(userId: number, listener: () => void): () => void {
    this.emitter.on(`user:${userId}`, listener);
    return () => this.emitter.off(`user:${userId}`, listener);
  }
}
