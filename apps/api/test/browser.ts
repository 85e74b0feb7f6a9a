import { type Browser, chromium as playwright } from 'playwright-core';
import { systemProgram } from '../src/embedded/system-program.js';
import { cacheFolder } from './cache-folder.js';

/** The path of a Chromium: the machine's own, or its package unpacked into the cache. */
export async function chromium(): Promise<string> {
  return systemProgram({
    names: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
    packages: ['chromium', 'fonts-dejavu-core'],
    cacheFolder: await cacheFolder(),
    report: (line) => process.stderr.write(`${line}\n`),
  });
}

/** A headless Chromium that keeps to itself: no sandbox (it cannot nest in ours), no calls home. */
export async function launchBrowser(): Promise<Browser> {
  return playwright.launch({
    executablePath: await chromium(),
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-dev-shm-usage',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
