import { visibleText } from '../config/visible-text.ts';

/** Names people give are shorter: Nova and Keystone allow 255 characters at most. */
const LONGEST = 256;

/**
 * What a tenant, or who manages his guest, wrote as a name, fit for a label: in it everything can be
 * seen, so that no two labels look alike, and what is longer than 256 characters ends in `…`.
 */
export function tenantText(text: string | undefined): string {
  if (text === undefined) return '';
  const shown = visibleText(text.toWellFormed());
  if (shown.length <= LONGEST) return shown;
  return `${shown.slice(0, LONGEST - 1).toWellFormed()}…`;
}
