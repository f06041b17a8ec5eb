import { describe, expect, it } from 'vitest';

import { parseFlags, type CollectorFlag, type Config } from '../../../src/config/flags.ts';

const COLLECTORS: readonly CollectorFlag[] = [
  { name: 'ksm', help: 'kernel same-page merging', defaultEnabled: true },
  { name: 'smaps-rollup', help: 'proportional memory of each guest', defaultEnabled: false },
];

function configFrom(...argv: readonly string[]): Config {
  const parsed = parseFlags(argv, COLLECTORS, '1.2.3');
  if (parsed.kind !== 'run') throw new Error(parsed.kind === 'exit' ? parsed.stderr : parsed.kind);
  return parsed.config;
}

function complaintAbout(...argv: readonly string[]): string {
  const parsed = parseFlags(argv, COLLECTORS, '1.2.3');
  if (parsed.kind !== 'exit') throw new Error('it was accepted');
  expect([parsed.code, parsed.stdout]).toEqual([2, '']);
  return parsed.stderr;
}

describe('sources of guests', () => {
  it('are chosen by name, several of them too', () => {
    const { guests } = configFrom('--guests.source=proxmox', '--guests.source=process');
    expect(guests.sources).toEqual(['proxmox', 'process']);
  });

  it('have libvirt among them where somebody says where it is', () => {
    expect(configFrom('--libvirt.uri=qemu:///system').guests.isLibvirtNamed).toBe(true);
  });
});

describe('without flags', () => {
  it('the exporter reads this host and listens on port 9177', () => {
    expect(configFrom()).toEqual({
      web: {
        listenAddresses: [{ host: undefined, port: 9177 }],
        telemetryPath: '/metrics',
        maxRequests: 40,
        exporterMetrics: true,
        configFile: undefined,
        allowedHosts: [],
      },
      libvirt: { uri: 'qemu:///system', maxCalls: 4, maxStuckCalls: 2 },
      guests: { sources: [], isLibvirtNamed: false, metadataLabels: [] },
      paths: { procfs: '/proc', sysfs: '/sys', rootfs: '' },
      collectors: new Set(['ksm']),
      scrape: { timeoutSeconds: 10, timeoutOffsetSeconds: 0.5 },
      log: { level: 'info', format: 'logfmt' },
      policyFile: undefined,
      novaConf: undefined,
      demo: false,
    });
  });
});

describe('a flag', () => {
  it('takes its value after an equals sign or as the next argument', () => {
    expect(configFrom('--web.max-requests=3').web.maxRequests).toBe(3);
    expect(configFrom('--web.max-requests', '3').web.maxRequests).toBe(3);
  });

  it('given twice counts the last time', () => {
    expect(configFrom('--log.level=debug', '--log.level=error').log.level).toBe('error');
  });

  it('may list several addresses, which replace the default', () => {
    expect(
      configFrom('--web.listen-address=127.0.0.1:1', '--web.listen-address', '[::1]:2').web
        .listenAddresses,
    ).toEqual([
      { host: '127.0.0.1', port: 1 },
      { host: '::1', port: 2 },
    ]);
  });

  it.each([
    ['10s', 10],
    ['1500ms', 1.5],
    ['1m', 60],
    ['1m30s', 90],
    ['2.5', 2.5],
  ])('reads the duration %s as %d seconds', (text, seconds) => {
    expect(configFrom(`--scrape.timeout=${text}`).scrape.timeoutSeconds).toBe(seconds);
  });

  it('switches a collector on or off, the last word counts', () => {
    expect(configFrom('--collector.smaps-rollup', '--no-collector.ksm').collectors).toEqual(
      new Set(['smaps-rollup']),
    );
    expect(configFrom('--no-collector.ksm', '--collector.ksm').collectors).toEqual(
      new Set(['ksm']),
    );
  });

  it('switches every default collector off, except those named', () => {
    expect(configFrom('--collector.disable-defaults').collectors).toEqual(new Set());
    expect(
      configFrom('--collector.disable-defaults', '--collector.smaps-rollup').collectors,
    ).toEqual(new Set(['smaps-rollup']));
  });

  it('gives paths without trailing slash, and the root as no prefix', () => {
    expect(configFrom('--path.procfs=/host/proc/', '--path.rootfs=/').paths).toEqual({
      procfs: '/host/proc',
      sysfs: '/sys',
      rootfs: '',
    });
  });

  it('sets everything else as named', () => {
    const config = configFrom(
      '--web.telemetry-path=/kvm/metrics',
      '--web.disable-exporter-metrics',
      '--libvirt.uri=test:///default',
      '--scrape.timeout-offset=250ms',
      '--log.format=json',
      '--web.config.file=/etc/web.yaml',
      '--policy.file=/etc/policy.yaml',
      '--demo',
    );
    expect(config).toMatchObject({
      web: {
        telemetryPath: '/kvm/metrics',
        exporterMetrics: false,
        configFile: '/etc/web.yaml',
      },
      libvirt: { uri: 'test:///default', maxCalls: 4, maxStuckCalls: 2 },
      scrape: { timeoutOffsetSeconds: 0.25 },
      log: { format: 'json' },
      policyFile: '/etc/policy.yaml',
      demo: true,
    });
  });
});

describe('a mistake', () => {
  it.each<[string, readonly string[], string]>([
    ['an unknown flag', ['--nope'], "unknown option '--nope'"],
    ['a flag almost right', ['--web.max-request=1'], '(Did you mean --web.max-requests?)'],
    ['an unknown collector', ['--no-collector.zz'], "unknown option '--no-collector.zz'"],
    ['a value for a switch', ['--demo=yes'], "unknown option '--demo=yes': --demo takes no value"],
    [
      'a check of nothing',
      ['--policy.check'],
      '--policy.check needs --policy.file or --policy.from',
    ],
    ['a missing value', ['--log.level'], 'argument missing'],
    ['an argument without flag', ['start'], 'too many arguments'],
    ['a word for a number', ['--web.max-requests=many'], 'It must be a whole number from 1.'],
    ['zero requests', ['--web.max-requests=0'], 'It must be a whole number from 1.'],
    ['a level that does not exist', ['--log.level=trace'], 'Allowed choices are debug, info'],
    ['a relative path', ['--path.procfs=proc'], 'It must begin with a slash.'],
    ['a telemetry path in the way of health checks', ['--web.telemetry-path=/-/ready'], '/-/'],
    ['an address without port', ['--web.listen-address=localhost'], 'Allowed are :9177'],
    ['a port beyond the last', ['--web.listen-address=:65536'], 'Allowed are :9177'],
    ['a bare IPv6 address', ['--web.listen-address=::1:9177'], 'Allowed are :9177'],
    ['a duration without sense', ['--scrape.timeout=soon'], 'Allowed are 10s'],
    ['no time at all', ['--scrape.timeout=0s'], 'It must be longer than 0.'],
    ['an offset that eats the timeout', ['--scrape.timeout=500ms'], 'must be shorter than'],
    ['a socket for a URI', ['--libvirt.uri=/run/x'], 'Allowed is a URI'],
    ['a newline in an argument', ['--a\nb\u001b[31m'], 'unknown option'],
  ])('%s gives one line and exit code 2', (_, argv, words) => {
    const line = complaintAbout(...argv);
    expect(line).toContain(words);
    expect(line).toMatch(/^kvm-overcommit-exporter: [^\p{Cc}]*; see --help\n$/u);
  });
});

describe('a flag that is nearly right', () => {
  it.each([
    ['--web.listen-adress=:9177', '--web.listen-address'],
    ['--web.listen-adress', '--web.listen-address'],
    ['-web.listen-address=:9177', '--web.listen-address'],
    ['--web.lsiten-address=:9177', '--web.listen-address'],
    ['--listen-address=:9177', '--web.listen-address'],
    ['--web.listen', '--web.listen-address'],
    ['--web.config=/etc/web.yaml', '--web.config.file'],
    ['--policy-file=/etc/policy.yaml', '--policy.file'],
    ['--libvirt.max-call=3', '--libvirt.max-calls'],
    ['--scrape.timeout-ofset=1s', '--scrape.timeout-offset'],
    ['--collector.kms', '--collector.ksm'],
    ['--no-collector.kms', '--no-collector.ksm'],
    ['--collector.smaps', '--collector.smaps-rollup'],
    ['--collector.disable-default', '--collector.disable-defaults'],
    ['--versoin', '--version'],
    ['--hlep', '--help'],
  ])('%s gets one suggestion: %s', (flag, meant) => {
    expect(complaintAbout(flag)).toBe(
      `kvm-overcommit-exporter: unknown option '${flag}' (Did you mean ${meant}?); see --help\n`,
    );
  });

  it.each(['--collector.vms', '--web', '--nope', '--x', '--', '--=', "--'", '--storage.path'])(
    '%s gets none, since it would be a guess',
    (flag) => {
      expect(complaintAbout(...[flag, '--nope'])).not.toContain('Did you mean');
    },
  );
});

describe('checking a policy', () => {
  it('takes the file and starts nothing', () => {
    expect(parseFlags(['--policy.check', '--policy.file=p.yaml'], COLLECTORS, '1.2.3')).toEqual({
      kind: 'check-policy',
      policyFile: 'p.yaml',
      novaConf: undefined,
    });
    expect(
      parseFlags(['--policy.check', '--policy.from=nova:/etc/nova/nova.conf'], COLLECTORS, '1.2.3'),
    ).toEqual({ kind: 'check-policy', policyFile: undefined, novaConf: '/etc/nova/nova.conf' });
  });
});

describe('asking for', () => {
  it('the version prints one line', () => {
    expect(parseFlags(['--version'], COLLECTORS, '1.2.3')).toEqual({
      kind: 'exit',
      code: 0,
      stdout: 'kvm-overcommit-exporter 1.2.3\n',
      stderr: '',
    });
  });

  it.each(['-h', '--help'])('help with %s lists every flag with its default', (flag) => {
    const parsed = parseFlags([flag], COLLECTORS, '1.2.3');
    if (parsed.kind !== 'exit') throw new Error('no help');
    expect(parsed.code).toBe(0);
    for (const words of [
      '--web.listen-address <address>',
      'default: :9177',
      '--scrape.timeout <duration>',
      'default: 10s',
      '--collector.ksm',
      'default: on',
      '--collector.smaps-rollup',
      'default: off',
    ]) {
      expect(parsed.stdout).toContain(words);
    }
  });
});

describe('report', () => {
  it('takes the flags of the exporter, before it and after it', () => {
    for (const argv of [
      ['report', '--demo', '--interval=10s', '--json'],
      ['--demo', 'report', '--interval', '10s', '--json'],
    ]) {
      const parsed = parseFlags(argv, COLLECTORS, '1.2.3');
      expect(parsed).toMatchObject({
        kind: 'report',
        config: { demo: true },
        report: { intervalSeconds: 10, json: true },
      });
    }
  });

  it('looks twice, five seconds apart, unless it is told otherwise', () => {
    expect(parseFlags(['report'], COLLECTORS, '1.2.3')).toMatchObject({
      kind: 'report',
      report: { intervalSeconds: 5, json: false },
    });
  });

  it('ends with 3 for a mistake: 2 would be a critical risk', () => {
    for (const argv of [
      ['report', '--interval=1s'],
      ['report', '--intervall=5s'],
      ['report', 'more'],
    ]) {
      const parsed = parseFlags(argv, COLLECTORS, '1.2.3');
      if (parsed.kind !== 'exit') throw new Error('it was accepted');
      expect([parsed.code, parsed.stdout]).toEqual([3, '']);
      expect(parsed.stderr).toMatch(/^kvm-overcommit-exporter: /);
    }
    expect(complaintAbout('reprot')).toContain('too many arguments');
  });

  it('is in the help, and has help of its own', () => {
    const help = (argv: readonly string[]): string => {
      const parsed = parseFlags(argv, COLLECTORS, '1.2.3');
      if (parsed.kind !== 'exit') throw new Error('it goes on');
      expect(parsed.code).toBe(0);
      return parsed.stdout;
    };
    expect(help(['--help'])).toMatch(/^ {2}report \[flags\]/m);
    expect(help(['report', '--help'])).toContain('--interval <duration>');
  });
});
