import { createHash } from 'node:crypto';

/**
 * Keeps an open page up to date: fetches the page again and puts the new content in place of the
 * old. Without it the page is complete, and its Reload link does the same by hand. Rests while the
 * page is out of sight, while text is selected, and when the reader pauses it (WCAG 2.2.2). Speaks
 * only when a risk changed or the exporter stopped answering, not at every refresh.
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
      if (!response.ok) throw new Error(String(response.status));
      const page = new DOMParser().parseFromString(await response.text(), 'text/html');
      const fresh = page.querySelector('main');
      if (fresh === null) throw new Error('another page');
      if (paused) return;
      const active = main.contains(document.activeElement) ? document.activeElement : null;
      const open = [...main.querySelectorAll('details[open][id]')].map(({ id }) => id);
      const fields = [...main.querySelectorAll('input[id], select[id]')]
        .map(({ id, value }) => [id, value]);
      const selection = active?.selectionStart === undefined ? undefined
        : [active.selectionStart, active.selectionEnd];
      const isNews = main.dataset.summary !== fresh.dataset.summary;
      main.replaceChildren(...fresh.childNodes);
      main.dataset.summary = fresh.dataset.summary;
      main.dataset.rates = fresh.dataset.rates;
      main.classList.remove('stale');
      document.title = page.title;
      for (const id of open) document.getElementById(id)?.setAttribute('open', '');
      for (const [id, value] of fields) {
        const field = document.getElementById(id);
        if (field !== null && field.value !== value) field.value = value;
      }
      const again = active === null || active.id === '' ? null : document.getElementById(active.id);
      again?.focus({ preventScroll: true });
      if (selection !== undefined) again?.setSelectionRange?.(...selection);
      if (isNews) tell(main.dataset.summary);
      else if (lost) usual();
      lost = false;
    } catch {
      lost = true;
      main.classList.add('stale');
      tell('The exporter does not answer. These values are old; retrying.');
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
