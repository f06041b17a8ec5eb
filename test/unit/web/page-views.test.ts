import { gunzipSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { Bodies } from '../../../src/web/page-views.ts';

describe('the pages of one look', () => {
  it('are rendered once, however often and in whatever encoding they are asked for', async () => {
    const bodies = new Bodies();
    let made = 0;
    const make = (): string => {
      made += 1;
      return 'page';
    };
    const [plain, zipped, again] = await Promise.all([
      bodies.get('page', 'identity', make),
      bodies.get('page', 'gzip', make),
      bodies.get('page', 'gzip', make),
    ]);
    expect(made).toBe(1);
    expect(plain.toString()).toBe('page');
    expect(gunzipSync(zipped).toString()).toBe('page');
    expect(again).toBe(zipped);
  });

  it('are not all kept: anybody can think of filters', async () => {
    const bodies = new Bodies();
    let made = 0;
    const make = (): string => String((made += 1));
    for (let filter = 0; filter < 100; filter += 1) {
      await bodies.get(`page ?q=${filter}`, 'identity', make);
    }
    expect(made).toBe(100);
    await bodies.get('page ?q=99', 'identity', make);
    expect(made).toBe(100);
    await bodies.get('page ?q=0', 'identity', make);
    expect(made).toBe(101);
  });

  it('stay as long as others ask for them, whatever somebody else thinks of', async () => {
    const bodies = new Bodies();
    let made = 0;
    const make = (): string => String((made += 1));
    for (let filter = 0; filter < 100; filter += 1) {
      await bodies.get('page ', 'gzip', make);
      await bodies.get(`page ?q=${filter}`, 'gzip', make);
    }
    expect(made).toBe(101);
  });

  it('say what kept them from being made to each who waits', async () => {
    const bodies = new Bodies();
    const fail = (): string => {
      throw new Error('broken');
    };
    await expect(bodies.get('page', 'gzip', fail)).rejects.toThrow('broken');
    await expect(bodies.get('page', 'identity', fail)).rejects.toThrow('broken');
  });
});
