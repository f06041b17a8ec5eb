import { escapeLabelValue } from './escape.ts';

/**
 * Label text is rendered apart from the value because it hardly ever changes: what belongs to a
 * guest, a disk or a NIC renders its `{domain="a",device="vda"}` once and keeps it between
 * scrapes. Names and values run in parallel arrays; a missing value is a programming error.
 */
function join(names: readonly string[], values: readonly string[]): string {
  pieces.length = 0;
  for (let i = 0; i < names.length; i += 1) {
    const name = names[i];
    const value = values[i];
    if (name === undefined || value === undefined) {
      throw new RangeError(`no value for label ${String(name)}`);
    }
    pieces.push(i === 0 ? '' : ',', name, '="', escapeLabelValue(value), '"');
  }
  return pieces.join('');
}

/** Used again for each text; joining leaves less garbage than adding up. */
const pieces: string[] = [];

/** Complete label text, `{domain="a",vcpu="0"}`; '' when there are no labels. */
export function labelText(names: readonly string[], values: readonly string[]): string {
  return names.length === 0 ? '' : `{${join(names, values)}}`;
}

/**
 * The beginning of a label text, `{domain="a"`, to be kept and finished by `closeLabels`. At least
 * one label.
 */
export function openLabels(names: readonly string[], values: readonly string[]): string {
  if (names.length === 0) throw new RangeError('a label prefix needs a label');
  return `{${join(names, values)}`;
}

/** Finishes what `openLabels` began, with further labels or with none. */
export function closeLabels(
  open: string,
  names: readonly string[] = [],
  values: readonly string[] = [],
): string {
  return names.length === 0 ? `${open}}` : `${open},${join(names, values)}}`;
}
