/** A name, perhaps labels, a value. */
const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})? /;
const LABEL = /[a-zA-Z_]\w*="(?:[^"\\]|\\.)*"/g;

/**
 * Series a text exposition has more than once, each as often as it has it too often. Labels in
 * another order are the same labels.
 *
 * @throws Error for a line that is no sample.
 */
export function duplicateSeries(text: string): readonly string[] {
  const seen = new Set<string>();
  const duplicates: string[] = [];
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const [, name, labels = ''] = SAMPLE.exec(line) ?? [];
    if (name === undefined) throw new Error(`not a sample: ${line}`);
    const series = `${name}{${(labels.match(LABEL) ?? []).sort().join()}}`;
    if (seen.has(series)) duplicates.push(series);
    seen.add(series);
  }
  return duplicates;
}
