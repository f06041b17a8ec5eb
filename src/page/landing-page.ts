import type { View } from '../view/view.ts';
import { pageFacts } from './facts/page-facts.ts';
import { pageHtml } from './html/page.ts';
import type { Recently } from '../risk/recent-counters.ts';

/** The page a person opens first: the host at a glance, in plain words. Complete HTML. */
export function landingPage(view: View, recently: Recently, telemetryPath: string): string {
  return pageHtml(pageFacts(view, recently), telemetryPath);
}
