/**
 * Gives the variables of Grafana values, so that an expression can be parsed. Inside double quotes
 * they stay, as dashboard-linter has it: a label value may hold any text.
 */
export function expandVariables(expr: string): string {
  return expr
    .split(/("(?:[^"\\]|\\.)*")/)
    .map((part, index) => (index % 2 === 1 ? part : expandOutsideQuotes(part)))
    .join('');
}

/** Values nobody writes by hand, so that they are recognised after parsing. */
export const RATE_INTERVAL = '8869990787ms';

const VALUES: Readonly<Record<string, string>> = {
  __rate_interval: RATE_INTERVAL,
  __interval: '4867856611ms',
  __range: '6069770749ms',
  // Sizes people type, on the Capacity dashboard.
  vcpus: '2',
  memory: '4',
  disk: '40',
};

function expandOutsideQuotes(text: string): string {
  return text.replaceAll(/\$\{?(\w+)\}?/g, (variable, name: string) => VALUES[name] ?? variable);
}
