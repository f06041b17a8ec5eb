import { createHash } from 'node:crypto';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Snapshot } from '../../../../src/model/snapshot.ts';
import { landingPage } from '../../../../src/page/landing-page.ts';
import { RecentCounters } from '../../../../src/risk/recent-counters.ts';
import { PAGE_SECURITY_POLICY } from '../../../../src/page/html/security-policy.ts';
import {
  exampleSnapshot,
  exampleView,
  NOTHING_RECENT,
  unknownSnapshot,
} from '../../../support/metrics/example-snapshot.ts';
import { A, smallHost } from '../small-host.ts';

function pageOf(snapshot: Snapshot): string {
  return landingPage(exampleView(snapshot), NOTHING_RECENT, '/metrics');
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

  it('lets its own style and script in, by their hashes, and nothing else', () => {
    const page = pageOf(smallHost());
    for (const tag of ['style', 'script']) {
      const content = new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(page)?.[1] ?? '';
      const hash = createHash('sha256').update(content).digest('base64');
      expect(PAGE_SECURITY_POLICY).toContain(`${tag}-src 'sha256-${hash}'`);
    }
    expect(PAGE_SECURITY_POLICY).toContain("default-src 'none'");
    expect(PAGE_SECURITY_POLICY).not.toContain('unsafe');
    expect(page).not.toMatch(/ style=| on\w+=/);
  });

  it('says that it is a demo, in the title too, exactly if it is one', () => {
    const demo = pageOf(smallHost({ seconds: 0 }, { demo: true }));
    expect(demo).toMatch(/<title>Demo – /);
    expect(demo).toContain('This is a demo: the host and its guests are simulated.');
    expect(pageOf(smallHost())).not.toMatch(/demo: the host/);
  });

  it('links to the metrics, wherever they are, without leaving the path a proxy gave it', () => {
    const page = landingPage(exampleView(smallHost()), NOTHING_RECENT, '/deep/metrics');
    const links = [...page.matchAll(/href="([^"]*)"/g)].map(([, link]) => link);
    expect(links).toContain('./deep/metrics');
    expect(links.every((link) => link?.startsWith('./') === true || link?.startsWith('#'))).toBe(
      true,
    );
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

  it('with 1,000 guests takes little time and stays small', () => {
    const guests = Array.from({ length: 1000 }, (_, index) => ({ ...A, name: `guest-${index}` }));
    const recent = new RecentCounters();
    recent.add(smallHost({ seconds: 0, guests }));
    const snapshot = smallHost({ seconds: 10, guests });
    const view = exampleView(snapshot);
    landingPage(view, recent.before(snapshot), '/metrics');
    // CPU time: a busy machine does not make the page more expensive.
    const before = process.threadCpuUsage();
    const page = landingPage(view, recent.before(snapshot), '/metrics');
    const { user, system } = process.threadCpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(300);
    expect(page.length).toBeLessThan(400_000);
    expect(page).toContain('200 of 1,000 guests');
  });
});
