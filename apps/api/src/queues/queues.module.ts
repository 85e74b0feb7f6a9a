import { Global, Module } from '@nestjs/common';
import { QueueBoard } from './queue-board.js';

@Global()
@Module({ providers: [QueueBoard], exports: [QueueBoard] })
export class QueuesModule {}
