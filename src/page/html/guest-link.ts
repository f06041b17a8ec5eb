import { html, type Html } from './html.ts';
import { nameHtml } from './sentence-html.ts';

/** A guest by its name, with a link to its own page, from the page of the host. */
export function guestLink(
  guest: { readonly name: string; readonly uuid: string },
  id: string,
): Html {
  return html`<a id="${id}" href="${`./guest/${guestSegment(guest)}`}">${nameHtml(guest.name)}</a>`;
}

/**
 * How a guest is called in an address: by its name, or by its uuid where a browser would not leave the
 * name as it is.
 */
export function guestSegment({
  name,
  uuid,
}: {
  readonly name: string;
  readonly uuid: string;
}): string {
  const isPlain = name !== '' && name !== '.' && name !== '..' && name.isWellFormed();
  return encodeURIComponent(isPlain ? name : uuid);
}
