import { describe, expect, it } from 'vitest';

import type { CollectorName } from '../../../src/model/collectors.ts';
import { parseScrape, type ScrapeLimits } from '../../../src/web/scrape-request.ts';

const limits: ScrapeLimits = {
  enabled: new Set<CollectorName>(['cpu', 'memory', 'domain', 'block']),
  timeoutSeconds: 10,
  timeoutOffsetSeconds: 0.5,
};

function collectorsOf(query: string): readonly string[] | string {
  const parsed = parseScrape(new URLSearchParams(query), undefined, limits);
  return parsed.ok ? [...parsed.value.collectors].sort() : parsed.error;
}

function timeoutOf(header: string | undefined): number | string {
  const parsed = parseScrape(new URLSearchParams(), header, limits);
  return parsed.ok ? parsed.value.timeoutSeconds : parsed.error;
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
      return parsed.ok ? [...parsed.value.collectors].sort() : parsed.error;
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

describe('a parameter that looks like a filter and is none', () => {
  it.each([
    ['collect=cpu', '"collect"', 'collect[]'],
    ['collect=cpu,memory', '"collect"', 'collect[]'],
    ['collect[0]=cpu', '"collect[0]"', 'collect[]'],
    ['collectors[]=cpu', '"collectors[]"', 'collect[]'],
    ['Collect[]=cpu', '"Collect[]"', 'collect[]'],
    ['colect[]=cpu', '"colect[]"', 'collect[]'],
    ['exclude=cpu', '"exclude"', 'exclude[]'],
    ['exlcude[]=cpu', '"exlcude[]"', 'exclude[]'],
    ['collect[]=cpu&exclude=memory', '"exclude"', 'exclude[]'],
    ['%1B[2Jcollect=cpu', undefined, undefined],
    ['collect%E2%80%AE=cpu', '"collect\\u202e"', 'collect[]'],
  ])('%s says so', (query, name, meant) => {
    if (name === undefined) expect(collectorsOf(query)).not.toContain('\u001b');
    else expect(collectorsOf(query)).toBe(`there is no parameter ${name}; write ${meant}`);
  });

  it.each(['', 'target=kvm1', 'module=x', 'debug=1', 'name[]=x', 'c=1', '_=12', '[]=1', '=x'])(
    'is not what others look like: %s is ignored',
    (query) => {
      expect(collectorsOf(query)).toEqual(['block', 'cpu', 'domain', 'memory']);
    },
  );

  it('takes no time, however long it is', () => {
    const query = new URLSearchParams([['collect'.repeat(10_000), 'cpu']]);
    expect(parseScrape(query, undefined, limits)).toMatchObject({ ok: true });
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
