/**
 * What tests ask the browser about the page it shows. As text, since this project is compiled
 * without the browser's types.
 */
import type { Page } from 'playwright-core';

export function backgroundOf(page: Page): Promise<string> {
  return page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
}

/** Of the focused element. */
export function focusedId(page: Page): Promise<string> {
  return page.evaluate<string>('document.activeElement.id');
}

/** The first word of the focused element. */
export function focusedWord(page: Page): Promise<string> {
  return page.evaluate<string>('document.activeElement.textContent.trim().split(/\\s/)[0]');
}

/** Elements of the content that take the focus and have no id to give it back by. */
export function focusableWithoutId(page: Page): Promise<readonly string[]> {
  return page.evaluate<readonly string[]>(`
    [...document.querySelectorAll('main :is(a[href], button, input, select, summary, [tabindex])')]
      .filter(({ id }) => id === '')
      .map((one) => one.outerHTML.slice(0, 120))
  `);
}

export function focusOutline(page: Page): Promise<string> {
  return page.evaluate<string>('getComputedStyle(document.activeElement).outlineStyle');
}

/** Width of all that can be scrolled to. */
export function scrollWidth(page: Page): Promise<number> {
  return page.evaluate<number>('document.documentElement.scrollWidth');
}

/** Elements that reach beyond the right edge of the window, but for column headers kept for readers only and what is scrolled by itself. */
export function beyondRightEdge(page: Page): Promise<readonly string[]> {
  return page.evaluate<readonly string[]>(`
    [...document.querySelectorAll('body *:not(thead, thead *, .scroll *)')]
      .filter((one) =>
        one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
      .map((one) => one.outerHTML.slice(0, 120))
  `);
}

/** Ids that are there twice, and references to ids that are not there. */
export function brokenReferences(page: Page): Promise<readonly string[]> {
  return page.evaluate<readonly string[]>(`(() => {
    const all = (selector) => [...document.querySelectorAll(selector)];
    const ids = all('[id]').map(({ id }) => id);
    const references = [
      ...['aria-labelledby', 'aria-describedby'].flatMap((name) =>
        all('[' + name + ']').map((one) => one.getAttribute(name))),
      ...all('a[href^="#"]').map((link) => link.getAttribute('href').slice(1)),
    ];
    return [
      ...ids.filter((id, index) => ids.indexOf(id) !== index),
      ...references.filter((id) => !ids.includes(id)),
    ];
  })()`);
}

/** Levels of the headings, in order. */
export function headingLevels(page: Page): Promise<readonly number[]> {
  return page.evaluate<readonly number[]>(
    "[...document.querySelectorAll('h1, h2, h3, h4')].map((one) => Number(one.tagName.slice(1)))",
  );
}
