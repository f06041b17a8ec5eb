import { parse, stringify } from 'yaml';
import { z } from 'zod';

const example = z.looseObject({
  route: z.looseObject({}),
  receivers: z.array(z.looseObject({ name: z.string() })),
});

/** A route and those below it, as far as they are changed here. */
const route = z.looseObject({ routes: z.array(z.looseObject({})).optional() });

/** Waiting times of all routes: a page is to arrive at once. */
const AT_ONCE = { group_wait: '0s', group_interval: '1s', repeat_interval: '1h' };

/**
 * The example configuration with every receiver posting to a URL of its own below `webhookUrl`.
 * Routes and inhibition are as in the example, so what is tested is the example.
 */
export function labAlertmanagerConfig(text: string, webhookUrl: string): string {
  const config = example.parse(parse(text));
  return stringify({
    ...config,
    global: { resolve_timeout: '1m' },
    route: impatient(config.route),
    receivers: config.receivers.map(({ name }) => ({
      name,
      webhook_configs: [{ url: `${webhookUrl}${encodeURIComponent(name)}`, send_resolved: true }],
    })),
  });
}

function impatient(given: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { routes, ...rest } = route.parse(given);
  return {
    ...rest,
    ...AT_ONCE,
    ...(routes === undefined ? {} : { routes: routes.map(impatient) }),
  };
}
