import { Body, Controller, Get, HttpCode, Ip, Post, Put, Req, Res, UseGuards } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Fails } from '../openapi/fails.js';
import { Invalid, NotLoggedIn } from '../problems/problems.js';
import { Accounts } from '../users/accounts.js';
import { UserView } from '../users/user.dto.js';
import { Me, type Principal, Public, Scoped } from './access.js';
import { Login, PasswordChange } from './auth.dto.js';
import { LoginChanges } from './login-changes.js';
import { LoginAttempts } from './login-attempts.js';
import { LoginGuard } from './login.js';
import { verifyPassword } from './passwords.js';
import { hashSecret } from './secret.js';
import { Sessions, sessionSecret } from './sessions.js';

@ApiTags('auth')
@Controller('auth')
export class AuthController {
  constructor(
    private readonly accounts: Accounts,
    private readonly sessions: Sessions,
    private readonly attempts: LoginAttempts,
    private readonly changes: LoginChanges,
  ) {}

  /** Begins a session; the cookie is HttpOnly. */
  @Public()
  @UseGuards(LoginGuard)
  @Fails({
    '401': 'The name or the password is wrong.',
    '429': 'Too many attempts; `Retry-After` says when to try again.',
  })
  @Post('login')
  @ApiOperation({ summary: 'Log in with a user name and password' })
  @HttpCode(200)
  @ApiOkResponse({ type: UserView })
  async login(
    @Body() _body: Login,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<UserView> {
    if (!request.loggingIn) throw new NotLoggedIn('The name or the password is wrong.');
    // A session from before is not taken over: a new login has a new secret.
    await this.endCurrent(request);
    const user = await this.accounts.loggedIn(request.loggingIn);
    this.sessions.setCookie(request, response, await this.sessions.begin(user.id));
    response.setHeader('Cache-Control', 'no-store');
    return UserView.of(user);
  }

  /** Ends the session. Also answered when there is none: the wish is fulfilled. */
  @Public()
  @Post('logout')
  @ApiOperation({ summary: 'Log out' })
  @HttpCode(204)
  @ApiNoContentResponse()
  async logout(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<void> {
    await this.endCurrent(request);
    this.sessions.clearCookie(request, response);
  }

  @Scoped('read')
  @Get('me')
  @ApiOperation({ summary: 'Who is logged in' })
  @ApiOkResponse({ type: UserView })
  me(@Me() { user }: Principal): UserView {
    return UserView.of(user);
  }

  /** Changes one's own password and ends one's other sessions. */
  @Put('me/password')
  @ApiOperation({ summary: 'Change your own password' })
  @HttpCode(204)
  @ApiNoContentResponse()
  async changePassword(
    @Me() { user, session }: Principal,
    @Body() body: PasswordChange,
    @Ip() address: string,
  ): Promise<void> {
    this.attempts.begin(user.name, address);
    if (!(await verifyPassword(user.passwordHash, body.currentPassword))) {
      throw new Invalid([{ path: 'currentPassword', message: 'is not your password' }]);
    }
    this.attempts.succeed(user.name, address);
    await this.accounts.setPassword(user.id, body.newPassword);
    await this.sessions.endAll(user.id, session?.secretHash);
    this.changes.tell(user.id);
  }

  private async endCurrent(request: Request): Promise<void> {
    const secret = sessionSecret(request.headers);
    if (secret !== null) await this.sessions.end(hashSecret(secret));
  }
}
