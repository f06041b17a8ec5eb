import { textFormat } from '../../../src/exposition/format.ts';
import type { View } from '../../../src/view/view.ts';
import { expositionOf } from '../../support/metrics/example-snapshot.ts';

/** All samples of a view as Prometheus would read them: series to value. */
export async function samplesOf(view: View): Promise<ReadonlyMap<string, number>> {
  const text = await expositionOf(view, textFormat);
  const samples = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const space = line.lastIndexOf(' ');
    samples.set(line.slice(0, space), Number(line.slice(space + 1)));
  }
  return samples;
}

/** The samples of one family: label text to value. */
export async function familyOf(
  view: View,
  name: string,
): Promise<Readonly<Record<string, number>>> {
  const own: Record<string, number> = {};
  for (const [series, value] of await samplesOf(view)) {
    if (series === name) own[''] = value;
    else if (series.startsWith(`${name}{`)) own[series.slice(name.length)] = value;
  }
  return own;
}
