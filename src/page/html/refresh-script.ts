import { createHash } from 'node:crypto';

/**
 * Keeps an open page up to date: fetches the page again and puts what is new in place of the old;
 * what is the same is left alone. Without it the page is complete, and its Reload link does the same
 * by hand. Rests while the page is out of sight, while text is selected, and when the reader pauses
 * it (WCAG 2.2.2). Speaks only when a risk changed or there is no answer, not at every refresh.
 */
export const REFRESH_SCRIPT = `
(() => {
  'use strict';
  const period = 15000;
  const firstLook = 4000;
  const main = document.querySelector('main');
  const status = document.getElementById('refresh-status');
  const button = document.getElementById('refresh-toggle');
  let timer;
  let paused = false;
  let lost = false;

  const tell = (text) => {
    if (status.textContent !== text) status.textContent = text;
  };
  const usual = () => tell(paused ? 'Not refreshing.' : 'Refreshes every 15 seconds.');
  const wait = () => {
    clearTimeout(timer);
    if (paused || document.hidden) return;
    timer = setTimeout(refresh, main.dataset.rates === 'no' ? firstLook : period);
  };

  // An open list of choices, a table scrolled aside: who uses it is not to lose it.
  const renew = (old, fresh) => {
    if (old.isEqualNode(fresh)) return;
    if (old.nodeType !== 1 || old.nodeName !== fresh.nodeName || old.id !== fresh.id) {
      old.replaceWith(fresh);
      return;
    }
    for (const name of old.getAttributeNames()) {
      if (!fresh.hasAttribute(name)) old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    const was = [...old.childNodes];
    const is = [...fresh.childNodes];
    if (was.length === is.length) was.forEach((child, index) => renew(child, is[index]));
    else old.replaceChildren(...is);
  };
  const lose = (text) => {
    lost = true;
    main.classList.add('stale');
    tell(text + ' These values are old; retrying.');
  };

  async function refresh() {
    const marked = document.getSelection();
    if (marked !== null && !marked.isCollapsed && main.contains(marked.anchorNode)) {
      wait();
      return;
    }
    try {
      const response = await fetch(location.href, {
        cache: 'no-store',
        signal: AbortSignal.timeout(20000),
      });
      if (response.status === 404) {
        lose('This guest is no longer there.');
        wait();
        return;
      }
      if (!response.ok) throw new Error(String(response.status));
      const page = new DOMParser().parseFromString(await response.text(), 'text/html');
      const fresh = page.querySelector('main');
      if (fresh === null) throw new Error('another page');
      if (paused) return;
      const active = main.contains(document.activeElement) ? document.activeElement : null;
      const heading = active?.closest('section')?.querySelector('h2')?.id;
      const open = [...main.querySelectorAll('details[open][id]')].map(({ id }) => id);
      const fields = [...main.querySelectorAll('input[id], select[id]')]
        .map(({ id, value }) => [id, value]);
      const selection = active?.selectionStart === undefined ? undefined
        : [active.selectionStart, active.selectionEnd];
      const isNews = main.dataset.summary !== fresh.dataset.summary;
      renew(main, fresh);
      document.title = page.title;
      for (const id of open) document.getElementById(id)?.setAttribute('open', '');
      for (const [id, value] of fields) {
        const field = document.getElementById(id);
        if (field !== null && field.value !== value) field.value = value;
      }
      if (active !== null && document.activeElement !== active) {
        const again = document.getElementById(active.id);
        (again ?? document.getElementById(heading) ?? main).focus({ preventScroll: true });
        if (selection !== undefined) again?.setSelectionRange?.(...selection);
      }
      if (isNews) tell(main.dataset.summary);
      else if (lost) usual();
      lost = false;
    } catch {
      lose('The exporter does not answer.');
    }
    wait();
  }

  button.hidden = false;
  button.addEventListener('click', () => {
    paused = !paused;
    button.textContent = paused ? 'Resume refresh' : 'Pause refresh';
    usual();
    if (paused) clearTimeout(timer);
    else void refresh();
  });
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) clearTimeout(timer);
    else if (!paused) void refresh();
  });
  usual();
  wait();
})();
`;

/** Where the script is, below the path of the exporter; another script has another name. */
export const SCRIPT_PATH = `/-/page-${createHash('sha256').update(REFRESH_SCRIPT).digest('hex').slice(0, 16)}.js`;
