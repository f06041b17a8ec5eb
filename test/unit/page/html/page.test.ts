import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Snapshot } from '../../../../src/model/snapshot.ts';
import { pageFacts } from '../../../../src/page/facts/page-facts.ts';
import { pageHtml } from '../../../../src/page/html/page.ts';
import { RecentCounters } from '../../../../src/risk/recent-counters.ts';
import { SCRIPT_PATH } from '../../../../src/page/html/refresh-script.ts';
import { RUNBOOK_BASE_URL } from '../../../../src/risk/runbooks.ts';
import { PAGE_SECURITY_POLICY } from '../../../../src/page/html/security-policy.ts';
import {
  exampleSnapshot,
  exampleView,
  NOTHING_RECENT,
  unknownSnapshot,
} from '../../../support/metrics/example-snapshot.ts';
import { A, smallHost, type GuestAt } from '../small-host.ts';

function pageOf(snapshot: Snapshot): string {
  return pageHtml(pageFacts(exampleView(snapshot), NOTHING_RECENT), '/metrics');
}

/** Tags with their attribute names, which is all that a browser makes structure from. */
function structureOf(page: string): readonly string[] {
  return [...page.matchAll(/<[^<>]*>/g)].map(([tag]) => tag.replaceAll(/"[^"]*"/g, '""'));
}

/** Every code unit, with those that HTML gives a meaning more often. */
const anyName = fc
  .array(
    fc.oneof(
      fc.constantFrom('<', '>', '"', "'", '&', '=', '/', '`', '\u202e', '\n'),
      fc.string({ maxLength: 1 }),
    ),
    {
      maxLength: 30,
    },
  )
  .map((parts) => parts.join(''));

describe('the page', () => {
  it('has the same structure whatever the guests, images and host are called', () => {
    const withName = (name: string): string => {
      const snapshot = exampleSnapshot();
      return pageOf({
        ...snapshot,
        host: {
          ...snapshot.host,
          inventory: snapshot.host.inventory && {
            ...snapshot.host.inventory,
            hostname: name,
            cpuModel: `model ${name}`,
          },
        },
        domains: (snapshot.domains ?? []).map((domain, index) => ({
          ...domain,
          name: `${name}${index}`,
        })),
        outcomes: [
          {
            collector: 'image',
            success: false,
            durationSeconds: 1,
            errors: [{ kind: 'timeout', subject: name, detail: name }],
          },
        ],
      });
    };
    const usual = structureOf(withName('usual'));
    fc.assert(
      fc.property(anyName, (name) => {
        expect(structureOf(withName(name))).toEqual(usual);
      }),
      { numRuns: 40 },
    );
  });

  it('says where each guest is known from, unless all are known from libvirt', () => {
    expect(pageOf(smallHost())).not.toContain('known from');
    const guests = [A, { ...A, name: 'c', overrides: { source: 'proxmox' } } as const];
    const page = pageOf(smallHost({ seconds: 0, guests }));
    expect(page.match(/known from [^<]*/g)).toEqual([
      'known from libvirt',
      'known from Proxmox VE',
    ]);
  });

  it('lets its own style in by its hash, scripts from where it came from, and nothing else', () => {
    const page = pageOf(smallHost());
    const content = /<style>([^]*?)<\/style>/.exec(page)?.[1] ?? '';
    const hash = createHash('sha256').update(content).digest('base64');
    expect(PAGE_SECURITY_POLICY).toContain(`style-src 'sha256-${hash}'`);
    expect(PAGE_SECURITY_POLICY).toContain("default-src 'none'");
    expect(PAGE_SECURITY_POLICY).toContain("script-src 'self'");
    expect(PAGE_SECURITY_POLICY).not.toContain('unsafe');
    expect([...page.matchAll(/<script[^>]*>/g)].map(([tag]) => tag)).toEqual([
      `<script src=".${SCRIPT_PATH}" defer>`,
    ]);
    expect(page).not.toMatch(/ style=| on\w+=/);
  });

  it('says that it is a demo, in the title too, exactly if it is one', () => {
    const demo = pageOf(smallHost({ seconds: 0 }, { demo: true }));
    expect(demo).toMatch(/<title>Demo – /);
    expect(demo).toContain('This is a demo: the host and its guests are simulated.');
    expect(pageOf(smallHost())).not.toMatch(/demo: the host/);
  });

  it('links to the metrics, wherever they are, without leaving the path a proxy gave it', () => {
    const page = pageHtml(pageFacts(exampleView(smallHost()), NOTHING_RECENT), '/deep/metrics');
    const links = [...page.matchAll(/href="([^"]*)"/g)].map(([, link]) => link);
    expect(links).toContain('./deep/metrics');
    const elsewhere = links.filter((link) => link !== '' && !/^(?:\.\/|#)/.test(link ?? ''));
    // Nothing but what to do.
    expect(elsewhere.filter((link) => !link?.startsWith(`${RUNBOOK_BASE_URL}/Kvm`))).toEqual([]);
  });

  it('can be made of a host of which nothing is known', () => {
    const page = pageOf(unknownSnapshot());
    expect(page).toContain('No connection to libvirt');
    expect(page).not.toMatch(/NaN|undefined|Infinity|\[object/);
  });

  it('never shows what is not a number', () => {
    const snapshots = [
      exampleSnapshot(),
      smallHost({ seconds: 0, host: { availableGib: 0 } }),
      smallHost({ seconds: 0, guests: [] }),
    ];
    for (const snapshot of snapshots) {
      expect(pageOf(snapshot)).not.toMatch(/NaN|undefined|Infinity|\[object/);
    }
  });

  it('of a host without guests says so, wherever guests would come from', () => {
    expect(pageOf(smallHost({ seconds: 0, guests: [] }))).toContain('<p>There are no guests.</p>');
  });

  it('with 1,000 guests has all of them, and takes at most 50 ms of CPU', () => {
    const recent = new RecentCounters();
    recent.add(smallHost({ seconds: 0, guests: thousandGuests(0) }));
    const pages = Array.from({ length: VIEWS }, () => {
      const snapshot = smallHost({ seconds: 10, guests: thousandGuests(10) });
      const view = exampleView(snapshot);
      const before = recent.before(snapshot);
      // CPU time of the whole process, its compiler and garbage collector among it.
      const start = process.cpuUsage();
      const page = pageHtml(pageFacts(view, before), '/metrics');
      const zipped = gzipSync(page, { level: 1 });
      const { user, system } = process.cpuUsage(start);
      return { page, zipped, ms: (user + system) / 1000 };
    });
    const costs = pages.map(({ ms }) => ms).sort((one, other) => one - other);
    expect(costs[QUARTER]).toBeLessThan(MOST_MS);
    const page = pages[0]?.page ?? '';
    expect(page.match(/<th role="rowheader"/g)).toHaveLength(1000);
    expect(pages[0]?.zipped.length).toBeLessThan(120_000);
  });
});

const MOST_MS = 50;
const VIEWS = 16;
/**
 * The first views are not yet compiled, and neighbours who empty the caches of a CPU make others more
 * expensive, none cheaper: of so many the fourth cheapest is what a view costs.
 */
const QUARTER = VIEWS / 4 - 1;

/** In an order nobody sorted, each with figures of its own. */
function thousandGuests(seconds: number): readonly GuestAt[] {
  return Array.from({ length: 1000 }, (_, index) => {
    const number = (index * 617) % 1000;
    return {
      ...A,
      name: `guest-${number}`,
      residentGib: 1 + (number % 613) / 101,
      writtenGib: 1 + (number % 771) / 13,
      cpuSeconds: seconds * (number % 97) * 0.011,
      delaySeconds: seconds * (number % 89) * 0.0004,
      receivedBytes: seconds * number * 991,
    };
  });
}
