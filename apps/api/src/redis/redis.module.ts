import { Global, Module } from '@nestjs/common';
import { Announcements } from './announcements.js';
import { RedisConnections } from './redis.js';

@Global()
@Module({ providers: [RedisConnections, Announcements], exports: [RedisConnections, Announcements] })
export class RedisModule {}
