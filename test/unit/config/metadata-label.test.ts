import { describe, expect, it } from 'vitest';

import { COLLECTORS } from '../../../src/model/collectors.ts';
import { parseFlags } from '../../../src/config/flags.ts';
import { parseMetadataLabel } from '../../../src/config/metadata-label.ts';

function flags(...values: readonly string[]) {
  return parseFlags(
    values.map((value) => `--guests.metadata-label=${value}`),
    COLLECTORS.map(({ name, help, enabledByDefault }) => ({
      name,
      help,
      defaultEnabled: enabledByDefault,
    })),
    '1.0',
  );
}

describe('--guests.metadata-label', () => {
  it('may be repeated', () => {
    const parsed = flags('http://example.com/ns/1.0/owner/team=team', 'urn:x/a/@id=ticket');
    expect(parsed.kind === 'run' && parsed.config.guests.metadataLabels).toEqual([
      { label: 'team', path: 'http://example.com/ns/1.0/owner/team' },
      { label: 'ticket', path: 'urn:x/a/@id' },
    ]);
  });

  it('may have a namespace with = in it', () => {
    expect(parseMetadataLabel('http://example.com/?a=b/owner=team', [])).toEqual({
      label: 'team',
      path: 'http://example.com/?a=b/owner',
    });
  });

  it.each([
    ['nothing', ''],
    ['no label', 'http://example.com/ns/owner'],
    ['an empty label', 'http://example.com/ns/owner='],
    ['no path', '=team'],
    ['no element', 'owner=team'],
    ['an empty element', 'http://example.com/ns/=team'],
    ['an attribute in the middle', 'urn:x/a/@b/c=team'],
    ['a space', 'urn:x/a b=team'],
    ['a line end', 'urn:x/a\n/b=team'],
    ['a path without end', `urn:x/${'a'.repeat(600)}=team`],
    ['a label that is none', 'urn:x/a=cost-center'],
    ['a label that begins with a digit', 'urn:x/a=1st'],
    ['a label of Prometheus', 'urn:x/a=__name__'],
    ['a label without end', `urn:x/a=${'a'.repeat(65)}`],
    ['a label the family has', 'urn:x/a=tenant'],
    ['the label of the guest', 'urn:x/a=domain'],
    ['a label of the target', 'urn:x/a=instance'],
  ])('with %s is one line and exit code 2', (_, value) => {
    const parsed = flags(value);
    if (parsed.kind !== 'exit') throw new Error('it was taken');
    expect(parsed.code).toBe(2);
    expect(parsed.stderr).toContain('--guests.metadata-label');
    expect(parsed.stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it('may not give one label twice', () => {
    const parsed = flags('urn:x/a=team', 'urn:x/b=team');
    expect(parsed.kind === 'exit' && parsed.stderr).toContain('The label team is given twice.');
  });

  it('may not give labels without end', () => {
    const parsed = flags(...Array.from({ length: 17 }, (_, i) => `urn:x/a=label${i}`));
    expect(parsed.kind === 'exit' && parsed.stderr).toContain('No more than 16 labels.');
  });
});
