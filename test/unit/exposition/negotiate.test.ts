import { describe, expect, it } from 'vitest';

import { negotiateEncoding, negotiateFormat } from '../../../src/exposition/negotiate.ts';

const OPEN_METRICS = 'openmetrics-1.0.0';
const TEXT = 'text-0.0.4';
const formatFor = (accept: string | undefined): string => negotiateFormat(accept).format.name;

const PROMETHEUS_2_42 =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,' +
  'text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
const PROMETHEUS_3_5 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,' +
  'application/openmetrics-text;version=0.0.1;q=0.5,' +
  'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';

describe('the format', () => {
  it.each<[string, string | undefined, string]>([
    ['Prometheus 2.42 gets OpenMetrics', PROMETHEUS_2_42, OPEN_METRICS],
    ['Prometheus 3.5 gets OpenMetrics', PROMETHEUS_3_5, OPEN_METRICS],
    ['curl gets text', '*/*', TEXT],
    ['no header gets text', undefined, TEXT],
    ['an empty header gets text', '', TEXT],
    ['a browser gets text', 'text/html,application/xhtml+xml,*/*;q=0.8', TEXT],
    ['nothing we speak gets text', 'application/json', TEXT],
    ['garbage gets text', ';;q=,,=;/', TEXT],
    [
      'a version we do not speak is passed over',
      'application/openmetrics-text;version=2.0.0',
      TEXT,
    ],
    ['no version means any version', 'application/openmetrics-text', OPEN_METRICS],
    ['case and spaces do not matter', 'Application/OpenMetrics-Text ; Version=1.0.0', OPEN_METRICS],
    ['a quoted version counts', 'application/openmetrics-text; version="1.0.0"', OPEN_METRICS],
    ['q=0 is a refusal', 'application/openmetrics-text;version=1.0.0;q=0,*/*;q=0.1', TEXT],
    ['a broken q is as if not sent', 'application/openmetrics-text;q=2,text/plain;q=0.1', TEXT],
    [
      'the higher weight wins over the earlier place',
      'text/plain;version=0.0.4;q=0.4,application/openmetrics-text;version=1.0.0;q=0.5',
      OPEN_METRICS,
    ],
    [
      'of equal weights the first wins',
      'text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0',
      TEXT,
    ],
  ])('%s', (_, accept, name) => {
    expect(formatFor(accept)).toBe(name);
  });

  it('comes with its content type, confirming the escaping scheme asked for', () => {
    expect(negotiateFormat('*/*').contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(negotiateFormat(PROMETHEUS_3_5).contentType).toBe(
      'application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8',
    );
    expect(negotiateFormat(PROMETHEUS_2_42).contentType).toBe(
      'application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores',
    );
  });

  it('never echoes an unknown escaping scheme into a response header', () => {
    expect(
      negotiateFormat('application/openmetrics-text;version=1.0.0;escaping=x\r\nevil').contentType,
    ).toContain('escaping=underscores');
  });
});

describe('the encoding', () => {
  it.each<[string | undefined, 'gzip' | 'identity']>([
    ['gzip', 'gzip'],
    ['gzip, deflate, br, zstd', 'gzip'],
    ['GZIP', 'gzip'],
    ['*', 'gzip'],
    [undefined, 'identity'],
    ['', 'identity'],
    ['deflate', 'identity'],
    ['gzip;q=0', 'identity'],
    ['gzip;q=0, *', 'identity'],
    ['identity, gzip;q=0.5', 'identity'],
    ['identity;q=0.5, gzip;q=0.5', 'gzip'],
    ['gzip;q=x', 'identity'],
  ])('for %s is %s', (header, encoding) => {
    expect(negotiateEncoding(header)).toBe(encoding);
  });
});
