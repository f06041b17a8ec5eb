import { z } from 'zod';

import type { DrawingOrder, PanelFacts } from './browser/protocol.ts';
import { NOTHING_TO_SHOW } from './nothing-to-show.ts';

const Answer = z.object({
  status: z.literal('success'),
  data: z.object({ result: z.array(z.unknown()) }),
});

/**
 * Titles of empty panels whose host proves to have nothing of that kind.
 *
 * @throws Error when Prometheus does not take a proof.
 */
export async function emptyWithReason(
  panels: readonly PanelFacts[],
  { dashboard, choice, to, from }: DrawingOrder,
  prometheus: string,
): Promise<ReadonlySet<string>> {
  const proven = new Set<string>();
  for (const { title, empty } of panels) {
    const proof = NOTHING_TO_SHOW.get(`${dashboard.uid} / ${title}`);
    if (!empty || proof === undefined) continue;
    const query = proof
      .replaceAll('$host', `instance=~"${choice['instance'] ?? ''}"`)
      .replaceAll('$guest', `domain=~"${choice['domain'] ?? ''}"`)
      .replaceAll('$range', `${to - from}s`);
    const response = await fetch(`${prometheus}/api/v1/query`, {
      method: 'POST',
      body: new URLSearchParams({ query, time: String(to) }),
    });
    const { data } = Answer.parse(await response.json());
    if (data.result.length > 0) proven.add(title);
  }
  return proven;
}
