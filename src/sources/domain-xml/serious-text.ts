/** Names people give have up to 255 characters; a tenant who writes his own may have millions. */
const MAX_CHARACTERS = 1024;

/** What somebody wrote as a name, without white space around it; undefined where it is none. */
export function seriousText(text: string | undefined): string | undefined {
  if (text === undefined || text.length > MAX_CHARACTERS) return undefined;
  const trimmed = text.trim();
  return trimmed === '' ? undefined : trimmed;
}
