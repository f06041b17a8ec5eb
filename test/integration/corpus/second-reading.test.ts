import { describe, expect, it } from 'vitest';

import { domainCases, poolCases } from '../../corpus/cases.ts';
import { compare, secondReadings } from '../../corpus/second-reading.ts';

describe('read_xml.py, which the exporter is held against', () => {
  const cases = [...domainCases(), ...poolCases()];

  it('reads the corpus as a person does', () => {
    const answers = secondReadings(cases.map(({ file }) => file));
    expect(answers).toHaveLength(cases.length);
    const differences = cases.flatMap(({ name, right }, index) => {
      const answer = answers[index];
      if (answer === undefined) return [`${name}: no answer`];
      if ('malformed' in right) return 'error' in answer ? [] : [`${name}: was read`];
      if ('error' in answer) return [`${name}: ${answer.error}`];
      return compare(right.reading, answer.reading).differences.map((line) => `${name}: ${line}`);
    });
    expect(differences).toEqual([]);
  });
});
