import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, randomInt } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { RunningSettings } from '../config/settings.js';

const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const LENGTH = 32;

/** What is stored was sealed with another SECRET_KEY, or its bytes were changed. */
export class OtherSecretKey extends Error {
  override readonly name = 'OtherSecretKey';
}

/**
 * The RCON passwords of servers, encrypted at rest: AES-256-GCM with a key derived from SECRET_KEY by HKDF-SHA-256. Stored as
 * version (1 byte), nonce (12), ciphertext, tag (16).
 */
@Injectable()
export class RconPasswords {
  private readonly key: Buffer;

  constructor(@Inject(RunningSettings) settings: Pick<RunningSettings, 'secretKey'>) {
    this.key = Buffer.from(hkdfSync('sha256', settings.secretKey, '', 'left4me rcon password 1', 32));
  }

  /** A new password, sealed: 32 random letters and digits. */
  generate(): Buffer {
    return this.seal(Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join(''));
  }

  seal(password: string): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.key, nonce, { authTagLength: TAG_BYTES });
    const sealed = Buffer.concat([cipher.update(password, 'utf8'), cipher.final()]);
    return Buffer.concat([Buffer.of(VERSION), nonce, sealed, cipher.getAuthTag()]);
  }

  /** @throws OtherSecretKey */
  open(sealed: Buffer): string {
    if (sealed[0] !== VERSION || sealed.length < 1 + NONCE_BYTES + TAG_BYTES) {
      throw new Error('The stored RCON password has a form that this version of left4me does not know.');
    }
    const nonce = sealed.subarray(1, 1 + NONCE_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', this.key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    try {
      const opened = Buffer.concat([decipher.update(sealed.subarray(1 + NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
      return opened.toString('utf8');
    } catch (cause) {
      throw new OtherSecretKey(
        'The stored RCON password cannot be read: SECRET_KEY is not the one it was stored with.',
        {
          cause,
        },
      );
    }
  }
}
