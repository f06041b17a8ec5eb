/**
 * Makes docs/images/landing-page.png: the page of the demo host, light, 1280 pixels wide.
 *
 * Run it from the repository: `npm run screenshot -- [file]`. It needs root
 * once, to install Debian's Chromium.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { startBrowser } from './browser.ts';
import { startDemoExporter } from './demo-exporter.ts';

const WIDTH = 1280;
const GUESTS = 1;
/** Rates need two looks at the host. */
const BETWEEN_LOOKS_MS = 12_000;

const file = process.argv[2] ?? 'docs/images/landing-page.png';
await using exporter = await startDemoExporter();
await using browser = await startBrowser();
const page = await browser.newPage({
  viewport: { width: WIDTH, height: 900 },
  colorScheme: 'light',
});
await page.goto(exporter.url);
await sleep(BETWEEN_LOOKS_MS);
await page.goto(exporter.url);
await page.locator('main[data-rates="yes"]').waitFor();
// Down to the first guests of the list, which goes on like that.
const list = await page.locator('tbody tr').nth(GUESTS).boundingBox();
if (list === null) throw new Error('the page shows no guests');
await page.screenshot({
  path: file,
  fullPage: true,
  clip: { x: 0, y: 0, width: WIDTH, height: Math.round(list.y) },
});
process.stdout.write(`${file}\n`);
