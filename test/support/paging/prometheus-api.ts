import { z } from 'zod';

const sample = z.object({
  metric: z.record(z.string(), z.string()),
  value: z.tuple([z.number(), z.string()]),
});
const series = z.object({
  metric: z.record(z.string(), z.string()),
  values: z.array(z.tuple([z.number(), z.string()])),
});

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  /** Unix time in seconds, and the value then. */
  readonly points: readonly (readonly [number, number])[];
}

export interface FiringAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The part of Prometheus' HTTP API the tests ask (prometheus docs/querying/api.md). */
export class PrometheusApi {
  /** Without a path. */
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** The value of an expression now. */
  async query(expression: string): Promise<readonly Sample[]> {
    const answer = z
      .object({ data: z.object({ result: z.array(sample) }) })
      .parse(await this.#get('query', { query: expression }));
    return answer.data.result.map(({ metric, value }) => ({
      labels: metric,
      value: Number(value[1]),
    }));
  }

  /** An expression each second from one Unix time to another. */
  async range(expression: string, from: number, to: number): Promise<readonly Series[]> {
    const parameters = { query: expression, start: String(from), end: String(to), step: '1' };
    const answer = z
      .object({ data: z.object({ result: z.array(series) }) })
      .parse(await this.#get('query_range', parameters));
    return answer.data.result.map(({ metric, values }) => ({
      labels: metric,
      points: values.map(([time, value]) => [time, Number(value)] as const),
    }));
  }

  /** Alerts that fire, with what they say now. */
  async firing(): Promise<readonly FiringAlert[]> {
    const texts = z.record(z.string(), z.string());
    const alert = z.object({ labels: texts, annotations: texts, state: z.string() });
    const answer = z
      .object({ data: z.object({ alerts: z.array(alert) }) })
      .parse(await this.#get('alerts', {}));
    return answer.data.alerts.filter(({ state }) => state === 'firing');
  }

  /** Rules whose last evaluation failed, as `name: error`. */
  async brokenRules(): Promise<readonly string[]> {
    const rule = z.object({ name: z.string(), lastError: z.string().optional() });
    const answer = z
      .object({ data: z.object({ groups: z.array(z.object({ rules: z.array(rule) })) }) })
      .parse(await this.#get('rules', {}));
    return answer.data.groups
      .flatMap(({ rules }) => rules)
      .filter(({ lastError }) => lastError !== undefined)
      .map(({ name, lastError }) => `${name}: ${lastError}`);
  }

  /** Whether it has read its storage and answers. */
  async isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/-/ready`)).status === 200;
    } catch {
      return false;
    }
  }

  async #get(path: string, parameters: Readonly<Record<string, string>>): Promise<unknown> {
    const body = new URLSearchParams(parameters);
    const response = await fetch(`${this.url}/api/v1/${path}?${body.toString()}`);
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${path}: ${response.status}: ${text}`);
    return JSON.parse(text);
  }
}
