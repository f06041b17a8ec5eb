import { chromium, type Browser } from 'playwright-core';

import { ensurePackages } from '../../../lab/index.ts';

const CHROMIUM = '/usr/bin/chromium';

/** Debian's Chromium, headless, with a fresh profile and no traffic of its own. */
export async function startBrowser(): Promise<Browser> {
  await ensurePackages(['chromium', 'fonts-inter', 'fonts-dejavu-core']);
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
