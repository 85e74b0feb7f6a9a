import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { Request, Response } from 'express';
import passport from 'passport';
import { Strategy } from 'passport-local';
import { Validation } from '../problems/validation.js';
import { NotLoggedIn } from '../problems/problems.js';
import type { User } from '../users/user.entity.js';
import { Accounts } from '../users/accounts.js';
import { Login } from './auth.dto.js';
import { LoginAttempts } from './login-attempts.js';
import { verifyPassword } from './passwords.js';

/** Name and password against the accounts. */
@Injectable()
export class PasswordStrategy extends PassportStrategy(Strategy) {
  constructor(
    private readonly accounts: Accounts,
    private readonly attempts: LoginAttempts,
  ) {
    super({ passReqToCallback: true, session: false });
  }

  /** @throws NotLoggedIn, TooManyAttempts */
  async validate(request: Request, name: string, password: string): Promise<User> {
    const address = request.ip ?? '';
    this.attempts.begin(name, address);
    const user = await this.accounts.byName(name);
    if (!(await verifyPassword(user?.passwordHash ?? null, password)) || !user) {
      throw new NotLoggedIn('The name or the password is wrong.');
    }
    if (user.disabled) throw new NotLoggedIn('This account is disabled.');
    this.attempts.succeed(name, address);
    return user;
  }
}

declare module 'express' {
  interface Request {
    loggingIn?: User;
  }
}

/**
 * Lets those in who log in. Given the strategy itself: Nest's AuthGuard finds it by name in a registry of the whole process,
 * where a second panel in the process (as in tests) would replace it.
 */
@Injectable()
export class LoginGuard implements CanActivate {
  private readonly validation = new Validation();

  constructor(private readonly strategy: PasswordStrategy) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Request>();
    const response = context.switchToHttp().getResponse<Response>();
    // Guards run before pipes; passport-local would take anything.
    await this.validation.transform(request.body, { type: 'body', metatype: Login });
    request.loggingIn = await new Promise<User>((resolve, reject) => {
      const done = (error: Error | null, user?: User | false | null) => {
        if (user) resolve(user);
        else reject(error ?? new NotLoggedIn('The name or the password is wrong.'));
      };
      // Passport writes the outcome's callbacks onto the strategy it is given: each request needs its own, or two logins at the
      // same time would answer each other.
      const strategy: PasswordStrategy = Object.create(this.strategy);
      passport.authenticate(strategy, { session: false }, done)(request, response, reject);
    });
    return true;
  }
}
