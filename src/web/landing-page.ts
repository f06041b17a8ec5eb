import type { View } from '../metrics/view.ts';
import { pageFacts } from './page/page-facts.ts';
import { pageHtml } from './page/page.ts';
import type { Recently } from './page/recent-counters.ts';

/** The page a person opens first: the host at a glance, in plain words. Complete HTML. */
export function landingPage(view: View, recently: Recently, telemetryPath: string): string {
  return pageHtml(pageFacts(view, recently), telemetryPath);
}
