import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page, Route } from 'playwright-core';

import { layOut } from './browser/layout.ts';
import type { DrawingOrder, PanelFacts } from './browser/protocol.ts';

/** Nobody is there: every request is answered here. */
const ORIGIN = 'http://dashboards.invalid';
const PATIENCE_MS = 120_000;
/** Heading and margins around the grid. */
const AROUND = 80;
const EXCERPT_HEIGHT = 1200;

export interface Drawing {
  readonly panels: readonly PanelFacts[];
  /** Errors the browser reported. */
  readonly complaints: readonly string[];
}

/**
 * Draws a dashboard into a picture.
 *
 * @param bundle folder with app.js and app.css.
 * @param prometheus its URL, without a path.
 * @param picture path of the PNG; `excerpt` that of its top, small enough for a page.
 */
export async function draw(
  browser: Browser,
  order: DrawingOrder,
  where: {
    readonly bundle: string;
    readonly prometheus: string;
    readonly picture: string;
    readonly excerpt?: string | undefined;
  },
): Promise<Drawing> {
  // Tables draw nothing of what is out of sight.
  const height = AROUND + layOut(order.dashboard, order.width, order.unfolded).height;
  const page = await browser.newPage({ viewport: { width: order.width, height } });
  try {
    const complaints: string[] = [];
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    await page.route('**', (route) => answer(route, order, where));
    await page.goto(`${ORIGIN}/`);
    await page.waitForFunction('window.drawn !== undefined', undefined, { timeout: PATIENCE_MS });
    const panels = await drawn(page);
    await page.screenshot({ path: where.picture, fullPage: true });
    if (where.excerpt !== undefined) {
      const clip = { x: 0, y: 0, width: order.width, height: Math.min(height, EXCERPT_HEIGHT) };
      await page.screenshot({ path: where.excerpt, fullPage: true, clip });
    }
    return { panels, complaints };
  } finally {
    await page.close();
  }
}

function drawn(page: Page): Promise<readonly PanelFacts[]> {
  return page.evaluate<readonly PanelFacts[]>('window.drawn');
}

async function answer(
  route: Route,
  order: DrawingOrder,
  { bundle, prometheus }: { readonly bundle: string; readonly prometheus: string },
): Promise<void> {
  const { pathname } = new URL(route.request().url());
  if (pathname === '/') {
    await route.fulfill({ contentType: 'text/html; charset=utf-8', body: html(order) });
  } else if (pathname.startsWith('/api/v1/')) {
    const response = await fetch(`${prometheus}${pathname}`, {
      method: 'POST',
      body: new URLSearchParams(route.request().postData() ?? ''),
    });
    await route.fulfill({ contentType: 'application/json', body: await response.text() });
  } else if (pathname === '/app.js' || pathname === '/app.css') {
    const contentType = pathname === '/app.js' ? 'text/javascript' : 'text/css';
    await route.fulfill({ contentType, body: readFileSync(join(bundle, pathname), 'utf8') });
  } else {
    // Fonts and icons Grafana's server would have; the browser complains of what is missing.
    await route.fulfill({ status: 204 });
  }
}

function html(order: DrawingOrder): string {
  const json = JSON.stringify(order).replaceAll('<', String.raw`\u003c`);
  return `<!doctype html><html><head><link rel="icon" href="data:,"><link rel="stylesheet" href="/app.css">
<style>body{margin:0}</style></head><body><div id="root"></div>
<script>window.drawingOrder=${json};window.__grafana_public_path__='/';</script>
<script type="module" src="/app.js"></script></body></html>`;
}
