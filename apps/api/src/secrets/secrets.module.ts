import { Module } from '@nestjs/common';
import { RconPasswords } from '../servers/rcon-password.js';
import { GivenValues } from './given-values.js';
import { SecretValues } from './secret-values.js';
import { SecretsController } from './secrets.controller.js';
import { Secrets } from './secrets.service.js';
import { ServerMasks } from './server-masks.js';

/** What is encrypted at rest, and what keeps it out of what is shown. Needs the database and the announcements, which are global. */
@Module({
  controllers: [SecretsController],
  providers: [Secrets, SecretValues, RconPasswords, ServerMasks, GivenValues],
  exports: [GivenValues, SecretValues, RconPasswords, ServerMasks],
})
export class SecretsModule {}
