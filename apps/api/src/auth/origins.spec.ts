import { describe, expect, it } from 'vitest';
import { Origins } from './origins.js';

const origins = (publicUrl: string | null = null) => new Origins({ publicUrl });

describe('Origins', () => {
  it('takes the word of Sec-Fetch-Site, which pages cannot forge', () => {
    expect(
      origins().allows({ 'sec-fetch-site': 'same-origin', origin: 'https://panel.example', host: 'inner:8080' }),
    ).toBe(true);
    expect(origins().allows({ 'sec-fetch-site': 'none' })).toBe(true);
    expect(origins().allows({ 'sec-fetch-site': 'same-site', origin: 'http://a:8080', host: 'a:8080' })).toBe(false);
    expect(origins().allows({ 'sec-fetch-site': 'cross-site' })).toBe(false);
  });

  it('compares Origin with Host and the public URL where there is none', () => {
    expect(origins().allows({ origin: 'http://a:8080', host: 'a:8080' })).toBe(true);
    expect(origins().allows({ origin: 'https://a', host: 'a:443' })).toBe(true);
    expect(origins().allows({ origin: 'http://b:8080', host: 'a:8080' })).toBe(false);
    expect(origins().allows({ origin: 'http://a:8081', host: 'a:8080' })).toBe(false);
    expect(origins().allows({ origin: 'null', host: 'null' })).toBe(false);
    expect(origins('https://panel.example/x').allows({ origin: 'https://panel.example', host: 'inner:8080' })).toBe(
      true,
    );
  });

  it('has nothing against scripts, which send neither', () => {
    expect(origins().allows({ host: 'a:8080' })).toBe(true);
  });
});
