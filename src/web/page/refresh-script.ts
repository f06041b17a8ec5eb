import { scriptElement } from './html.ts';

/**
 * Keeps an open page up to date: fetches the page again and puts the new content in place of the
 * old. Without it the page is complete, and its Reload link does the same by hand. Rests while the
 * page is out of sight, while text is selected, and when the reader pauses it (WCAG 2.2.2). Speaks
 * only when a risk changed or the exporter stopped answering, not at every refresh.
 */
export const REFRESH_SCRIPT = scriptElement`
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
    const selection = document.getSelection();
    if (selection !== null && !selection.isCollapsed && main.contains(selection.anchorNode)) {
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
      const focused = main.contains(document.activeElement) ? document.activeElement.id : '';
      const isNews = main.dataset.summary !== fresh.dataset.summary;
      main.replaceChildren(...fresh.childNodes);
      main.dataset.summary = fresh.dataset.summary;
      main.dataset.rates = fresh.dataset.rates;
      main.classList.remove('stale');
      document.title = page.title;
      if (focused !== '') document.getElementById(focused)?.focus({ preventScroll: true });
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
