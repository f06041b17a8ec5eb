import { html, type Html } from './html.ts';
import type { Sentence } from '../words/sentence.ts';
import { visibleName } from '../words/visible-name.ts';

/** A sentence as HTML. Names are kept apart (`<bdi>`), so that none can reorder our words. */
export function sentenceHtml(sentence: Sentence): Html {
  return html`${sentence.map((phrase) => {
    if (typeof phrase === 'string') return phrase;
    switch (phrase.kind) {
      case 'name':
        return nameHtml(phrase.text);
      case 'path':
        return html`<code><bdi>${visibleName(phrase.text)}</bdi></code>`;
      case 'figure':
        return html`<strong>${phrase.text}</strong>`;
      case 'foreign':
        return html`<bdi>${phrase.text}</bdi>`;
    }
  })}`;
}

/** The name of a guest or interface. */
export function nameHtml(name: string): Html {
  return html`<bdi class="name">${visibleName(name)}</bdi>`;
}
