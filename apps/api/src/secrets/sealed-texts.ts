import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** What is stored was sealed with another SECRET_KEY, or its bytes were changed. */
export class OtherSecretKey extends Error {
  override readonly name = 'OtherSecretKey';
}

/**
 * Texts that are encrypted at rest: AES-256-GCM with a key derived from SECRET_KEY by HKDF-SHA-256, one key per purpose. Stored as
 * version (1 byte), nonce (12), ciphertext, tag (16).
 */
export class SealedTexts {
  private readonly key: Buffer;
  private readonly digestKey: Buffer;

  /**
   * @param purpose the HKDF's info: what was sealed for another one cannot be opened
   * @param what it is called in sentences
   */
  constructor(
    secretKey: string,
    purpose: string,
    private readonly what: string,
  ) {
    this.key = Buffer.from(hkdfSync('sha256', secretKey, '', purpose, 32));
    this.digestKey = Buffer.from(hkdfSync('sha256', secretKey, '', `${purpose} digest`, 32));
  }

  seal(text: string): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.key, nonce, { authTagLength: TAG_BYTES });
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([Buffer.of(VERSION), nonce, sealed, cipher.getAuthTag()]);
  }

  /** The same for the same text, and tells nothing else of it (HMAC-SHA-256). */
  digest(text: string): Buffer {
    return createHmac('sha256', this.digestKey).update(text, 'utf8').digest();
  }

  /** @throws OtherSecretKey */
  open(sealed: Buffer): string {
    if (sealed[0] !== VERSION || sealed.length < 1 + NONCE_BYTES + TAG_BYTES) {
      throw new Error(`The stored ${this.what} has a form that this version of left4me does not know.`);
    }
    const nonce = sealed.subarray(1, 1 + NONCE_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', this.key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    try {
      const opened = Buffer.concat([decipher.update(sealed.subarray(1 + NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
      return opened.toString('utf8');
    } catch (cause) {
      throw new OtherSecretKey(
        `The stored ${this.what} cannot be read: SECRET_KEY is not the one it was stored with.`,
        { cause },
      );
    }
  }
}
