import { parsePolicy } from '../../src/config/policy-file.ts';
import { RESOURCES, LIMITS } from '../../src/config/policy-defaults.ts';
import { mangled } from './mangle.ts';
import { noFalseNumber } from './numbers.ts';
import { simple, type Target } from './target.ts';

const SECTIONS = RESOURCES.map((resource) => {
  const lines = LIMITS.filter((limit) => limit.resource === resource).map(({ name, unit }) => {
    const [warning, critical] = unit === 'bytes_per_second' ? ['1MiB', '2MiB'] : [0.5, 0.9];
    return `  ${name}: { warning: ${warning}, critical: ${critical} }\n`;
  });
  return `${resource}:\n${lines.join('')}`;
});

const SAMPLES = [
  ...SECTIONS,
  'reserves:\n  memory: 4GiB\n  cpus: 2\n  storage: 5%\n',
  "domains:\n  include: ['prod-.*']\n  exclude: ['test-.*', '^a{1,3}$']\n",
  'memory:\n  swap_bytes_per_second: { warning: 2MiB, critical: 4MiB }\n',
  'storage:\n  fill_seconds: { warning: 48h, critical: 8h }\n  qcow2_size_ratio: { warning: null }\n',
  'cpu: &a\n  promised_ratio: { warning: 3, critical: 6 }\nmemory: *a\n',
];

const PIECES = [
  ...['&a', '*a', '<<: *a', '!!binary ', '!!js/function ', '---\n', '? ', ': ', '- ', '|\n', '>\n'],
  ...['.inf', '-.inf', '.nan', '1e400', '0o17', '1_0', '~', 'null', '%TAG ! x\n', '__proto__: 1\n'],
  ...['\t', '{', '}', '[', ']', '"', "'", '#', '1GiB', '5%', '24h', '999999999999EiB', '1e9h'],
];

const NONE: ReadonlySet<string> = new Set();

/** A policy file, which an administrator writes. */
export const policyFile: Target = {
  name: 'policy-file',
  open() {
    return simple((pick) => {
      const text = mangled(SAMPLES[pick(SAMPLES.length)] ?? '', pick, PIECES);
      const result = parsePolicy(text, 'policy.yaml');
      if (result.ok) {
        noFalseNumber(result.value, NONE);
        return 'value';
      }
      mustExplain(result.error);
      return 'refusal';
    });
  },
};

/** Each fault is one line that begins with the file. */
export function mustExplain(errors: readonly string[]): void {
  if (errors.length === 0) throw new Error('refused without a word');
  for (const error of errors) {
    if (/\p{Cc}/u.test(error)) throw new Error(`not one clean line: ${JSON.stringify(error)}`);
  }
}
