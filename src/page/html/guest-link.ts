import { html, type Html } from './html.ts';
import { nameHtml } from './sentence-html.ts';

/** A guest by its name, with a link to its own page, from the page of the host. */
export function guestLink(
  guest: { readonly name: string; readonly uuid: string },
  id: string,
): Html {
  return html`<a id="${id}" href="${`./guest/${guestSegment(guest)}`}">${nameHtml(guest.name)}</a>`;
}

/** What identities look like (see Domain.uuid): a guest may call itself as another is identified. */
const IDENTITY = /^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?:pve|pid):.*)$/is;

/**
 * How a guest is called in an address: by its name, or by its uuid where the name could be the uuid of
 * another, or a browser or a proxy would not leave it as it is.
 */
export function guestSegment({
  name,
  uuid,
}: {
  readonly name: string;
  readonly uuid: string;
}): string {
  const isPlain =
    !['', '.', '..'].includes(name) &&
    !name.includes('/') &&
    name.isWellFormed() &&
    !IDENTITY.test(name);
  return encodeURIComponent(isPlain ? name : uuid);
}
