import { randomInt } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { RunningSettings } from '../config/settings.js';
import { SealedTexts } from '../secrets/sealed-texts.js';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const LENGTH = 32;

/** The RCON passwords of servers, encrypted at rest. */
@Injectable()
export class RconPasswords extends SealedTexts {
  constructor(@Inject(RunningSettings) settings: Pick<RunningSettings, 'secretKey'>) {
    super(settings.secretKey, 'left4me rcon password 1', 'RCON password');
  }

  /** A new password, sealed: 32 random letters and digits. */
  generate(): Buffer {
    return this.seal(Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join(''));
  }
}
