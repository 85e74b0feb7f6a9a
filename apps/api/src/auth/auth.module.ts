import { Global, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { UsersModule } from '../users/users.module.js';
import { AccessGuard } from './access.guard.js';
import { AuthController } from './auth.controller.js';
import { Authentication } from './authentication.js';
import { LoginChanges } from './login-changes.js';
import { LoginAttempts } from './login-attempts.js';
import { LoginGuard, PasswordStrategy } from './login.js';
import { Origins } from './origins.js';
import { Sessions } from './sessions.js';

/** Who may do what; global, so that the gateway and the board can ask too. */
@Global()
@Module({
  imports: [UsersModule],
  controllers: [AuthController],
  providers: [
    Authentication,
    Sessions,
    Origins,
    LoginAttempts,
    LoginChanges,
    PasswordStrategy,
    LoginGuard,
    { provide: APP_GUARD, useClass: AccessGuard },
  ],
  exports: [Authentication, Sessions, Origins, LoginChanges],
})
export class AuthModule {}
