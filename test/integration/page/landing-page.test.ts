import { mkdirSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { createRequire } from 'node:module';

import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Snapshot } from '../../../src/model/snapshot.ts';
import { SCRIPT_PATH } from '../../../src/page/html/refresh-script.ts';
import { startBrowser } from './browser.ts';
import { startDemoExporter } from './demo-exporter.ts';
import {
  backgroundOf,
  beyondRightEdge,
  brokenReferences,
  focusableWithoutId,
  focusedId,
  focusedWord,
  focusOutline,
  headingLevels,
  scrollWidth,
} from './in-page.ts';
import { servePage, StagedHost } from './served-page.ts';

const ARTEFACTS = 'test-artifacts';
/** Moments of the demo's story; see src/demo/schedule.ts. */
const CALM = 300;
const OUT_OF_SPACE = 1750;

/** A shared machine may take its time. */
const SOON = { timeout: 20_000 };

let browser: Browser;

beforeAll(async () => {
  mkdirSync(ARTEFACTS, { recursive: true });
  browser = await startBrowser();
});

afterAll(async () => {
  await browser.close();
});

/** Opens the page and makes sure that the browser complained of nothing, blocked styles included. */
async function withPage(
  url: string,
  options: BrowserContextOptions,
  look: (page: Page) => Promise<void>,
): Promise<void> {
  await using context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    ...options,
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(url);
  await look(page);
  expect(complaints).toEqual([]);
}

function shot(page: Page, name: string, fullPage = true): Promise<unknown> {
  return page.screenshot({ path: `${ARTEFACTS}/landing-page-${name}.png`, fullPage });
}

/** Text as a reader sees it, with ordinary spaces. */
async function textOf(page: Page, selector: string): Promise<string> {
  const text = await page.locator(selector).innerText();
  return text.replaceAll(/\s+/g, ' ');
}

function renamed(names: readonly string[]): (snapshot: Snapshot) => Snapshot {
  return (snapshot) => ({
    ...snapshot,
    domains: snapshot.domains?.map((domain, index) => ({
      ...domain,
      name: names[index] ?? domain.name,
    })),
  });
}

describe('the demo exporter', () => {
  it('shows its 32 guests, says that it is a demo, and leads to its metrics', async () => {
    await using exporter = await startDemoExporter();
    await withPage(exporter.url, {}, async (page) => {
      expect(await page.title()).toBe('Demo – demo-host – KVM over-commitment');
      expect(await textOf(page, '.demo')).toContain('This is a demo');
      expect(await textOf(page, 'h1')).toBe('demo-host');
      expect(await page.locator('tbody tr').count()).toBe(32);
      const link = await page.getByRole('link', { name: 'Metrics' }).getAttribute('href');
      const metrics = await (await fetch(new URL(link ?? '', exporter.url))).text();
      expect(metrics).toMatch(/^kvm_exporter_demo 1$/m);
    });
  });
});

describe('the page of a calm, over-committed host', () => {
  it('tells of each resource its risk, its promise and what a run on the bank would do', async () => {
    await using served = await servePage(new StagedHost(CALM));
    await withPage(served.url, {}, async (page) => {
      const cards = page.locator('.card');
      expect(await cards.locator('h2').allInnerTexts()).toEqual([
        'CPU',
        'Memory',
        'Storage',
        'Network',
      ]);
      expect(await page.locator('.glance .promise').allInnerTexts()).toEqual([
        '8\u00a0:\u00a01',
        '1.5\u00a0:\u00a01',
        '3.2\u00a0:\u00a01',
        '32\u00a0:\u00a01',
      ]);
      expect(await page.locator('.glance .of').allInnerTexts()).toEqual([
        '32\u00a0vCPUs promised, capacity 4\u00a0CPUs',
        '24\u00a0GiB promised, capacity 15.5\u00a0GiB',
        '3.1\u00a0TiB promised, capacity 0.98\u00a0TiB',
        '32\u00a0Gbit/s promised, capacity 1\u00a0Gbit/s',
      ]);
      expect(await page.locator('.glance .claimed strong').allInnerTexts()).toEqual([
        '13\u00a0% of a CPU for each',
        expect.stringMatching(/^[\d.]+\u00a0GiB must be swapped out$/),
        '2.2\u00a0TiB short',
        '32\u00a0times what fits',
      ]);
      expect(await cards.locator('.badge').allInnerTexts()).toEqual([
        'Medium risk, as far as known',
        'High risk',
        'High risk',
        'Medium risk, as far as known',
      ]);
      expect(await textOf(page, '.card:has(#storage) .bank')).toBe(
        'If all guests claim what they were promised, storage /var/lib/libvirt/images is 2.2 TiB short. ' +
          'Guests that write then are paused.',
      );
      expect(await page.locator('.card:has(#memory) .top li').count()).toBe(3);
      expect(await page.locator('.panel').count()).toBe(0);
    });
  });

  it('draws what is promised beyond the capacity apart, each bar to scale', async () => {
    await using served = await servePage(new StagedHost(CALM));
    await withPage(served.url, {}, async (page) => {
      const widthOf = async (selector: string): Promise<number> =>
        (await page.locator(`.card:has(#cpu) ${selector}`).boundingBox())?.width ?? 0;
      const track = await widthOf('.promised .track');
      // 4 of 32 CPUs are there.
      expect((await widthOf('.promised .fill')) / track).toBeCloseTo(1 / 8, 2);
      expect((await widthOf('.promised .beyond')) / track).toBeCloseTo(7 / 8, 2);
      expect((await widthOf('.capacity .fill')) / track).toBeCloseTo(1 / 8, 2);
    });
  });

  it.each(['light', 'dark'] as const)('follows a %s desktop', async (colorScheme) => {
    const host = new StagedHost(CALM);
    await using served = await servePage(host);
    await fetch(`${served.url}metrics`);
    host.seconds += 15;
    await withPage(served.url, { colorScheme }, async (page) => {
      expect(await backgroundOf(page)).toBe(
        colorScheme === 'light' ? 'rgb(245, 246, 248)' : 'rgb(17, 21, 28)',
      );
      await shot(page, colorScheme);
    });
  });

  it('says at the first look what it cannot know yet, and knows it after a scrape', async () => {
    const host = new StagedHost(CALM);
    await using served = await servePage(host);
    await withPage(served.url, {}, async (page) => {
      expect(await textOf(page, '.host')).toContain('Rates appear');
      host.seconds += 15;
      await page.reload();
      expect(await textOf(page, '.host')).not.toContain('Rates appear');
      expect(await textOf(page, '.card:has(#cpu)')).toContain('In use');
      expect(await textOf(page, '.card:has(#network)')).toContain('Most traffic');
    });
  });
});

describe('refreshing', () => {
  it('puts new content in place, tells what changed, and keeps the reader where he was', async () => {
    const host = new StagedHost(CALM);
    await using served = await servePage(host);
    await withPage(served.url, {}, async (page) => {
      await page.clock.install();
      await page.reload();
      const status = page.locator('#refresh-status');
      expect(await status.innerText()).toBe('Refreshes every 15 seconds.');
      await page.locator('#storage').focus();
      host.seconds = OUT_OF_SPACE;
      await page.clock.runFor(16_000);
      await page.locator('#problems').waitFor();
      expect(await textOf(page, '.panel')).toMatch(
        /app-01, app-02, app-03 and \d more are paused because a write failed\. Make room on \/var\/lib\/libvirt\/images, then resume\./,
      );
      expect(await status.innerText()).toContain('torage is at critical risk');
      expect(await focusedId(page)).toBe('storage');
      await shot(page, 'out-of-space');
    });
  });

  it('rests when it is told to, and goes on when it is told to', async () => {
    const host = new StagedHost(CALM);
    await using served = await servePage(host);
    await withPage(served.url, {}, async (page) => {
      await page.clock.install();
      await page.reload();
      await page.getByRole('button', { name: 'Pause refresh' }).click();
      const before = await textOf(page, '.facts');
      host.seconds += 60;
      await page.clock.runFor(60_000);
      expect(await textOf(page, '.facts')).toBe(before);
      await page.getByRole('button', { name: 'Resume refresh' }).click();
      await expect.poll(() => textOf(page, '.facts'), SOON).not.toBe(before);
    });
  });

  it('keeps showing what it has when the exporter is gone, and says so', async () => {
    const served = await servePage(new StagedHost(CALM));
    await using context = await browser.newContext();
    const page = await context.newPage();
    await page.clock.install();
    await page.goto(served.url);
    await served[Symbol.asyncDispose]();
    await page.clock.runFor(16_000);
    await expect
      .poll(() => textOf(page, '#refresh-status'), SOON)
      .toBe('The exporter does not answer. These values are old; retrying.');
    expect(await page.locator('tbody tr').count()).toBe(32);
  });
});

describe('over a refresh', () => {
  it('all that takes the focus has an id to give it back by', async () => {
    await using served = await servePage(new StagedHost(OUT_OF_SPACE));
    for (const path of ['', 'guest/app-01']) {
      await withPage(served.url + path, {}, async (page) => {
        expect(await focusableWithoutId(page)).toEqual([]);
      });
    }
  });

  it('what is the same stays, so that no list of choices closes under the hand', async () => {
    const host = new StagedHost(CALM);
    await using served = await servePage(host);
    await withPage(served.url, {}, async (page) => {
      await page.clock.install();
      await page.reload();
      await page.evaluate("document.getElementById('guest-sort').isTheSame = true");
      const before = await textOf(page, '.facts');
      host.seconds += 60;
      await page.clock.runFor(16_000);
      await expect.poll(() => textOf(page, '.facts'), SOON).not.toBe(before);
      expect(await page.evaluate("document.getElementById('guest-sort').isTheSame")).toBe(true);
      expect(await page.locator('#cpu').count()).toBe(1);
      expect(await brokenReferences(page)).toEqual([]);
    });
  });

  it('the focus goes to the heading of what is no longer there', async () => {
    const host = new StagedHost(CALM);
    await using served = await servePage(host);
    await withPage(served.url, {}, async (page) => {
      await page.clock.install();
      await page.reload();
      await page.getByRole('link', { name: 'web-05' }).focus();
      host.alter = without('web-05');
      host.seconds += 60;
      await page.clock.runFor(16_000);
      await expect.poll(() => page.locator('tbody tr').count(), SOON).toBe(31);
      expect(await focusedId(page)).toBe('guests');
    });
  });

  it('a guest that is gone is said to be, in other words than an exporter that is', async () => {
    const host = new StagedHost(CALM);
    await using served = await servePage(host);
    await using context = await browser.newContext();
    const page = await context.newPage();
    await page.clock.install();
    await page.goto(`${served.url}guest/web-05`);
    host.alter = without('web-05');
    await page.clock.runFor(16_000);
    await expect
      .poll(() => textOf(page, '#refresh-status'), SOON)
      .toBe('This guest is no longer there. These values are old; retrying.');
    host.alter = (snapshot) => snapshot;
    await page.clock.runFor(16_000);
    await expect
      .poll(() => textOf(page, '#refresh-status'), SOON)
      .toBe('Refreshes every 15 seconds.');
    expect(await page.locator('main.stale').count()).toBe(0);
  });
});

function without(gone: string): (snapshot: Snapshot) => Snapshot {
  return (snapshot) => ({
    ...snapshot,
    domains: snapshot.domains?.filter(({ name }) => name !== gone),
  });
}

describe('without JavaScript', () => {
  it('nothing is missing but the refresh button, and Reload reloads', async () => {
    const host = new StagedHost(CALM);
    await using served = await servePage(host);
    await withPage(served.url, { javaScriptEnabled: false }, async (page) => {
      expect(await page.locator('.card').count()).toBe(4);
      expect(await page.locator('tbody tr').count()).toBe(32);
      expect(await page.getByRole('button').allInnerTexts()).toEqual(['Show']);
      host.seconds += 15;
      await page.getByRole('link', { name: 'Reload' }).click();
      expect(await textOf(page, '.card:has(#cpu)')).toContain('In use');
    });
  });
});

describe('hostile names', () => {
  const HOSTILE = [
    `<script>document.title = 'owned'</script>`,
    `"><img src=x onerror="document.title = 'owned'">`,
    `' onmouseover='document.title="owned"`,
    '</bdi></th></tr></table></main><h1>owned</h1>',
    'safe\u202egnp.exe',
    'x'.repeat(5000),
    '&lt;b&gt; \u0000 \n',
  ];

  it('are names, whatever they look like', async () => {
    const host = new StagedHost(CALM);
    host.alter = renamed(HOSTILE);
    await using served = await servePage(host);
    await withPage(served.url, {}, async (page) => {
      expect(await page.title()).toBe('Demo – demo-host – KVM over-commitment');
      expect(await page.locator('main img, main script').count()).toBe(0);
      expect(await page.locator('h1').count()).toBe(1);
      expect(await page.locator('tbody tr').count()).toBe(32);
      const names = await page.locator('tbody th').allTextContents();
      const shown = names.map((name) => name.trim());
      expect(shown).toEqual(
        expect.arrayContaining([
          ...HOSTILE.slice(0, 4),
          'safe\\u{202e}gnp.exe',
          `${'x'.repeat(80)}…${'x'.repeat(30)}`,
          '&lt;b&gt; \\u{0} \\u{a}',
        ]),
      );
      await shot(page, 'hostile-names');
    });
  });

  it('are names after a refresh, too', async () => {
    const host = new StagedHost(CALM);
    await using served = await servePage(host);
    await withPage(served.url, {}, async (page) => {
      await page.clock.install();
      await page.reload();
      host.alter = renamed(HOSTILE);
      host.seconds += 15;
      await page.clock.runFor(16_000);
      await page.locator('tbody th', { hasText: 'onerror' }).waitFor();
      expect(await page.locator('main img, main script').count()).toBe(0);
      expect(await page.title()).toBe('Demo – demo-host – KVM over-commitment');
    });
  });
});

describe('a narrow screen', () => {
  it.each([320, 390, 768])('of %d pixels needs no scrolling sideways', async (width) => {
    const host = new StagedHost(OUT_OF_SPACE);
    host.alter = renamed(['x'.repeat(300), 'a-name-of-a-guest-that-is-rather-long.example.net']);
    await using served = await servePage(host);
    await fetch(`${served.url}metrics`);
    host.seconds += 5;
    await withPage(served.url, { viewport: { width, height: 700 } }, async (page) => {
      expect(await beyondRightEdge(page)).toEqual([]);
      expect(await scrollWidth(page)).toBe(width);
      await shot(page, `${width}-wide`);
      await page.locator('tbody a').first().click();
      expect(await beyondRightEdge(page)).toEqual([]);
      expect(await scrollWidth(page)).toBe(width);
      await shot(page, `guest-${width}-wide`);
    });
  });
});

describe('with the keyboard', () => {
  it('all links and the button are reached in the order they are read', async () => {
    await using served = await servePage(new StagedHost(CALM));
    await withPage(served.url, {}, async (page) => {
      const reached: string[] = [];
      for (let stop = 0; stop < 10; stop += 1) {
        await page.keyboard.press('Tab');
        reached.push(await focusedWord(page));
      }
      expect(reached).toEqual([
        'Skip',
        'Host',
        'Metrics',
        'JSON',
        'Pause',
        'Reload',
        'CPU',
        'Memory',
        'Storage',
        'Network',
      ]);
    });
  });

  it('focus can be seen, and the skip link leads to the content', async () => {
    await using served = await servePage(new StagedHost(CALM));
    await withPage(served.url, {}, async (page) => {
      await page.keyboard.press('Tab');
      const skip = page.getByRole('link', { name: 'Skip to the content' });
      expect((await skip.boundingBox())?.y).toBeGreaterThanOrEqual(0);
      expect(await focusOutline(page)).toBe('solid');
      await page.keyboard.press('Enter');
      expect(await focusedId(page)).toBe('main');
    });
  });
});

describe('to a screen reader', () => {
  it('the page has its landmarks, one first heading, and sections with names', async () => {
    await using served = await servePage(new StagedHost(CALM));
    await withPage(served.url, {}, async (page) => {
      expect(await page.locator('html').getAttribute('lang')).toBe('en');
      for (const role of ['banner', 'main'] as const) {
        expect(await page.getByRole(role).count()).toBe(1);
      }
      expect(await page.getByRole('heading', { level: 1 }).allInnerTexts()).toEqual(['demo-host']);
      for (const name of ['CPU', 'Memory', 'Storage', 'Network', /^Guests/]) {
        expect(await page.getByRole('region', { name }).count()).toBe(1);
      }
      expect(await page.getByRole('navigation', { name: 'Resources' }).count()).toBe(1);
    });
  });

  it('no heading level is left out', async () => {
    await using served = await servePage(new StagedHost(CALM));
    await withPage(served.url, {}, async (page) => {
      const levels = await headingLevels(page);
      for (const [index, level] of levels.entries()) {
        expect(level - (levels[index - 1] ?? 0)).toBeLessThanOrEqual(1);
      }
    });
  });

  it('bars are meters with a name and a value in words', async () => {
    await using served = await servePage(new StagedHost(CALM));
    await withPage(served.url, {}, async (page) => {
      const meter = page.getByRole('meter', { name: 'Memory: Promised' });
      expect(await meter.getAttribute('aria-valuetext')).toBe('24\u00a0GiB');
      expect(Number(await meter.getAttribute('aria-valuenow'))).toBe(24 * 2 ** 30);
      const meters = await page.getByRole('meter').all();
      for (const one of meters) {
        const [low, now, high] = await Promise.all(
          ['aria-valuemin', 'aria-valuenow', 'aria-valuemax'].map(async (name) =>
            Number(await one.getAttribute(name)),
          ),
        );
        expect(low).toBeLessThanOrEqual(now ?? NaN);
        expect(now).toBeLessThanOrEqual(high ?? NaN);
      }
    });
  });

  it('the list of guests stays a table where it is laid out as cards', async () => {
    await using served = await servePage(new StagedHost(CALM));
    await withPage(served.url, { viewport: { width: 320, height: 700 } }, async (page) => {
      const table = page.getByRole('table');
      expect(await table.getByRole('columnheader').count()).toBe(10);
      expect(await table.getByRole('rowheader').count()).toBe(32);
    });
  });

  it('every id is there once, and every reference leads somewhere', async () => {
    await using served = await servePage(new StagedHost(OUT_OF_SPACE));
    await withPage(served.url, {}, async (page) => {
      expect(await brokenReferences(page)).toEqual([]);
    });
  });
});

describe('an exporter that sees little', () => {
  it('says what it tried to reach libvirt by, and shows the host', async () => {
    const host = new StagedHost(CALM);
    const detail =
      'cannot connect to libvirt (/run/libvirt/libvirt-sock-ro: ENOENT). Start libvirtd.';
    host.alter = (snapshot) => ({
      ...snapshot,
      demo: false,
      libvirt: { ...snapshot.libvirt, up: false, versions: undefined },
      domains: undefined,
      storage: undefined,
      outcomes: snapshot.outcomes.map((outcome) =>
        outcome.collector === 'domain'
          ? {
              ...outcome,
              success: false,
              errors: [{ kind: 'absent', subject: 'libvirt', detail }],
            }
          : outcome,
      ),
    });
    await using served = await servePage(host);
    await withPage(served.url, {}, async (page) => {
      expect(await textOf(page, '.panel.fault')).toBe(
        `What the exporter cannot see No connection to libvirt: only the host is shown, no guests. ${detail}`,
      );
      expect(await page.locator('.demo').count()).toBe(0);
      expect(await textOf(page, '.facts')).toContain('16 GiB of memory');
      await shot(page, 'no-libvirt');
    });
  });

  it('shows a thousand guests quickly, those in trouble first', async () => {
    const host = new StagedHost(OUT_OF_SPACE);
    host.alter = copied(32);
    await using served = await servePage(host);
    await withPage(served.url, {}, async (page) => {
      expect(await textOf(page, 'caption')).toContain('Those that suffer most first');
      expect(await page.locator('tbody tr').count()).toBe(1024);
      expect(await page.locator('tbody tr').first().getAttribute('class')).toBe('trouble');
    });
  });
});

function copied(copies: number): (snapshot: Snapshot) => Snapshot {
  return (snapshot) => ({
    ...snapshot,
    domains: Array.from({ length: copies }).flatMap((_, copy) =>
      (snapshot.domains ?? []).map((domain) => ({
        ...domain,
        name: `${domain.name}-${copy}`,
        uuid: `${domain.uuid}-${copy}`,
      })),
    ),
  });
}

describe('the list of guests', () => {
  it('is sorted and filtered without JavaScript, by links and by the form', async () => {
    await using served = await servePage(new StagedHost(CALM));
    await withPage(served.url, { javaScriptEnabled: false }, async (page) => {
      await page.getByLabel('Name or state contains').fill('web-');
      await page.getByLabel('Sort by').selectOption('name');
      await page.getByLabel('Order').selectOption('desc');
      await page.getByRole('button', { name: 'Show' }).click();
      const names = await page.locator('tbody th').allInnerTexts();
      expect(names.length).toBeGreaterThan(3);
      expect(names.every((name) => name.startsWith('web-'))).toBe(true);
      expect(names).toEqual(names.toSorted().toReversed());
      await page.locator('#sort-name').click();
      expect(await page.locator('tbody th').allInnerTexts()).toEqual(names.toReversed());
      expect(page.url()).toContain('q=web-');
      expect(
        await page.getByRole('columnheader', { name: 'Guest' }).getAttribute('aria-sort'),
      ).toBe('ascending');
    });
  });

  it('keeps the focus, what is typed and what is open over a refresh', async () => {
    const host = new StagedHost(CALM);
    await using served = await servePage(host);
    await withPage(served.url, {}, async (page) => {
      await page.clock.install();
      await page.reload();
      await page.locator('#columns-summary').click();
      const filter = page.getByLabel('Name or state contains');
      await filter.fill('db');
      const before = await textOf(page, '.facts');
      host.seconds += 60;
      await page.clock.runFor(16_000);
      await expect.poll(() => textOf(page, '.facts'), SOON).not.toBe(before);
      expect(await focusedId(page)).toBe('guest-filter');
      expect(await filter.inputValue()).toBe('db');
      expect(await page.locator('#columns').getAttribute('open')).toBe('');
      const guest = page.locator('tbody a').nth(3);
      await guest.focus();
      const id = await focusedId(page);
      host.seconds += 60;
      const then = await textOf(page, '.facts');
      await page.clock.runFor(16_000);
      await expect.poll(() => textOf(page, '.facts'), SOON).not.toBe(then);
      expect(await focusedId(page)).toBe(id);
    });
  });
});

describe('the page of a guest', () => {
  it('has its disks, NICs and threads, and why it is at risk', async () => {
    await using served = await servePage(new StagedHost(OUT_OF_SPACE));
    await withPage(served.url, {}, async (page) => {
      await page.locator('tbody tr.trouble a').first().click();
      expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('app-01');
      expect(await textOf(page, '.card:has(#risk)')).toContain('paused because a write failed');
      const runbook = page.locator('#runbook-paused_on_io_error');
      expect(await runbook.getAttribute('href')).toMatch(/\/KvmGuestPausedOnIoError\.md$/);
      expect(await textOf(page, '.card:has(#disks)')).toContain('/var/lib/libvirt/images/');
      expect(await textOf(page, '.card:has(#nics)')).toContain('eno1');
      expect(await textOf(page, '.card:has(#threads)')).toContain('vCPU 0');
      await shot(page, 'guest');
    });
  });

  it('is there for every name a guest can have, and 404 for others', async () => {
    const another = '6d0a4f1e-52c3-4b8e-9f27-3ac0de511105';
    const names = ['..', '.', 'a b/c?d#e%25', '<b>', '\ud800', 'ü', '104/web', another];
    const host = new StagedHost(CALM);
    host.alter = renamed(names);
    await using served = await servePage(host);
    await withPage(served.url, {}, async (page) => {
      const links = await page.locator('tbody a').all();
      const hrefs = await Promise.all(links.map((link) => link.getAttribute('href')));
      for (const href of hrefs) {
        const response = await fetch(new URL(href ?? '', served.url));
        expect(`${href ?? ''} ${response.status}`).toBe(`${href ?? ''} 200`);
      }
    });
    for (const path of ['guest/nobody', 'guest/%ff', 'guest/', 'guest/..%2fx']) {
      for (const method of ['GET', 'HEAD']) {
        const { status } = await fetch(served.url + path, { method });
        expect(`${method} ${path} ${status}`).toBe(`${method} ${path} 404`);
      }
    }
  });
});

describe('those who look at the same time', () => {
  it('get one look at the host, rendered once, gzipped for who takes it', async () => {
    const host = new StagedHost(CALM);
    await using served = await servePage(host, { lookSeconds: 600 });
    // The first look has no rates, and is shown for two seconds only.
    await fetch(`${served.url}metrics`);
    host.seconds += 15;
    const first = await fetch(served.url);
    expect(first.headers.get('content-encoding')).toBe('gzip');
    expect(first.headers.get('vary')).toBe('Accept-Encoding');
    const page = await first.text();
    host.seconds += 60;
    const plain = await fetch(served.url, { headers: { 'Accept-Encoding': 'identity' } });
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(await plain.text()).toBe(page);
    const json: unknown = await (await fetch(`${served.url}api/v1/host`)).json();
    expect(json).toMatchObject({ version: 1, demo: true, rates: true });
  });

  it('are answered under names this host is known by, on every path', async () => {
    await using served = await servePage(new StagedHost(CALM));
    const { port } = new URL(served.url);
    for (const path of ['/', '/api/v1/host', '/guest/app-01', SCRIPT_PATH]) {
      const status = await statusUnder('evil.example', Number(port), path);
      expect(`${path} ${status}`).toBe(`${path} 421`);
      const known = await fetch(new URL(path, served.url));
      expect(`${path} ${known.status}`).toBe(`${path} 200`);
      expect(known.headers.get('x-content-type-options')).toBe('nosniff');
    }
  });
});

function statusUnder(name: string, port: number, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = get({ host: '127.0.0.1', port, path, headers: { Host: name } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.on('error', reject);
  });
}

describe('axe', () => {
  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

  it.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 390],
    ['dark', 390],
  ] as const)('finds nothing wrong, %s and %d pixels wide', async (colorScheme, width) => {
    const host = new StagedHost(OUT_OF_SPACE - 60);
    await using served = await servePage(host);
    await fetch(served.url);
    host.seconds = OUT_OF_SPACE;
    await using context = await browser.newContext({
      viewport: { width, height: 900 },
      colorScheme,
      // The page lets no other script in; axe is the tester's own.
      bypassCSP: true,
    });
    const page = await context.newPage();
    for (const path of ['', 'guest/app-01']) {
      await page.goto(served.url + path);
      await page.evaluate(axe);
      const violations = await page.evaluate<readonly string[]>(`
        axe.run(document).then(({ violations }) =>
          violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html.slice(0, 160))))
      `);
      expect(violations).toEqual([]);
      expect(await scrollWidth(page)).toBe(width);
      await shot(page, `axe-${path === '' ? 'host' : 'guest'}-${colorScheme}-${width}`);
    }
  });
});
