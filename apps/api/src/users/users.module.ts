import { Module } from '@nestjs/common';
import { Sessions } from '../auth/sessions.js';
import { Accounts } from './accounts.js';
import { UsersController } from './users.controller.js';

@Module({ controllers: [UsersController], providers: [Accounts, Sessions], exports: [Accounts] })
export class UsersModule {}
