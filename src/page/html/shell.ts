import { html, render, type Html } from './html.ts';
import { SCRIPT_PATH } from './refresh-script.ts';
import { STYLE } from './style.ts';

/** What every page has around its content. */
export interface Shell {
  readonly title: string;
  /** `./` for the page of the host, `../` for those one level below it. */
  readonly base: './' | '../';
  readonly telemetryPath: string;
  readonly demo: boolean;
  /** Tells what changed: read out when it is another after a refresh. */
  readonly summary: string;
  readonly hasRates: boolean;
}

/**
 * A whole page. Links are relative, so that it works behind a proxy that puts it under a path of its
 * own.
 */
export function wholePage(shell: Shell, content: Html): string {
  const { title, base, telemetryPath, demo, summary, hasRates } = shell;
  const link = (path: string): string => `${base}${path.slice(1)}`;
  return render(
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="color-scheme" content="light dark" />
          <title>${title}</title>
          ${STYLE.element}
          <script src="${link(SCRIPT_PATH)}" defer></script>
        </head>
        <body>
          <a class="skip" href="#main">Skip to the content</a>
          <header class="bar-top">
            <div class="wide">
              <p class="product">KVM over-commitment</p>
              <nav aria-label="Pages">
                <ul role="list">
                  <li><a href="${base}">Host</a></li>
                  <li><a href="${link(telemetryPath)}">Metrics</a></li>
                  <li><a href="${link('/api/v1/host')}">JSON</a></li>
                </ul>
              </nav>
              <div class="refresh">
                <span id="refresh-status" role="status"></span>
                <button type="button" id="refresh-toggle" hidden>Pause refresh</button
                ><a href="">Reload</a>
              </div>
            </div>
          </header>
          ${
            demo
              ? html`<aside class="demo" aria-label="Demo">
                  This is a demo: the host and its guests are simulated.
                </aside>`
              : undefined
          }
          <main
            id="main"
            class="wide"
            tabindex="-1"
            data-summary="${summary}"
            data-rates="${hasRates ? 'yes' : 'no'}"
          >
            ${content}
          </main>
        </body>
      </html> `,
  );
}
