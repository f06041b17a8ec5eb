import { describe, expect, it } from 'vitest';

import type { CollectorName } from '../../../src/snapshot/collectors.ts';
import { parseScrape, type ScrapeLimits } from '../../../src/web/scrape-request.ts';

const limits: ScrapeLimits = {
  enabled: new Set<CollectorName>(['cpu', 'memory', 'domain', 'block']),
  timeoutSeconds: 10,
  timeoutOffsetSeconds: 0.5,
};

function collectorsOf(query: string): readonly string[] | string {
  const parsed = parseScrape(new URLSearchParams(query), undefined, limits);
  return parsed.ok ? [...parsed.request.collectors].sort() : parsed.fault;
}

function timeoutOf(header: string | undefined): number | string {
  const parsed = parseScrape(new URLSearchParams(), header, limits);
  return parsed.ok ? parsed.request.timeoutSeconds : parsed.fault;
}

describe('the collectors a scrape asks for', () => {
  it('are all that are switched on, without a filter', () => {
    expect(collectorsOf('')).toEqual(['block', 'cpu', 'domain', 'memory']);
  });

  it('are those of collect[]', () => {
    expect(collectorsOf('collect[]=cpu&collect[]=memory')).toEqual(['cpu', 'memory']);
  });

  it('include the list of guests when something about guests is asked for', () => {
    expect(collectorsOf('collect[]=block')).toEqual(['block', 'domain']);
  });

  it('include the QEMU processes, or the images, when what was found there is asked for', () => {
    const asked = (...names: readonly CollectorName[]) => {
      const query = new URLSearchParams(names.map((name) => ['collect[]', name]));
      const parsed = parseScrape(query, undefined, { ...limits, enabled: new Set(names) });
      return parsed.ok ? [...parsed.request.collectors].sort() : parsed.fault;
    };
    expect(asked('cgroup')).toEqual(['cgroup', 'domain', 'process']);
    expect(asked('guestksm', 'smaps')).toEqual(['domain', 'guestksm', 'process', 'smaps']);
    expect(asked('thinpool')).toEqual(['domain', 'image', 'thinpool']);
  });

  it('are all but those of exclude[]', () => {
    expect(collectorsOf('exclude[]=block&exclude[]=domain')).toEqual(['cpu', 'memory']);
  });

  it('cannot be given both ways', () => {
    expect(collectorsOf('collect[]=cpu&exclude[]=memory')).toMatch(/cannot be used together/);
  });

  it('must exist', () => {
    expect(collectorsOf('collect[]=bogus')).toMatch(/no collector "bogus"; there are cpu, memory/);
  });

  it('must be switched on', () => {
    expect(collectorsOf('collect[]=smaps')).toMatch(/smaps is switched off; see --collector.smaps/);
  });
});

describe('the time a scrape has', () => {
  it('is our own limit less the offset when the server says nothing', () => {
    expect(timeoutOf(undefined)).toBe(9.5);
  });

  it('is what the server says less the offset', () => {
    expect(timeoutOf('5')).toBe(4.5);
    expect(timeoutOf('1.5')).toBe(1);
  });

  it('never exceeds our own limit', () => {
    expect(timeoutOf('60')).toBe(9.5);
  });

  it('is half of a very short one, rather than nothing', () => {
    expect(timeoutOf('0.4')).toBe(0.2);
  });

  it('must be a number', () => {
    expect(timeoutOf('soon')).toMatch(/not a number of seconds/);
    expect(timeoutOf('-1')).toMatch(/not a number of seconds/);
  });
});
