import { isIP } from 'node:net';

import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';

import { parseListenAddress, type ListenAddress } from './listen-address.ts';
import { parseMetadataLabel, type MetadataLabelFlag } from './metadata-label.ts';
import { nearestWord } from './nearest-word.ts';
import { parseDuration } from './quantity.ts';
import { visibleText } from './visible-text.ts';

/**
 * The command line, in the manner of node_exporter (dotted names, `--no-collector.x`). Commander
 * because it takes dotted and negatable flags as they are, checks values, and writes the help;
 * `util.parseArgs` does none of the last two.
 */
export const PROGRAM = 'kvm-overcommit-exporter';

/** A part of the collection that can be switched on and off, given by the code that collects. */
export interface CollectorFlag {
  readonly name: string;
  readonly help: string;
  readonly defaultEnabled: boolean;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFormat = 'logfmt' | 'json';

export interface Config {
  readonly web: {
    readonly listenAddresses: readonly ListenAddress[];
    /** Begins with a slash. */
    readonly telemetryPath: string;
    /** Scrapes and pages answered at once; the next one gets 503. */
    readonly maxRequests: number;
    /** Whether process and runtime metrics of the exporter itself are part of a scrape. */
    readonly exporterMetrics: boolean;
    /** TLS and logins; undefined: plain HTTP for everyone. */
    readonly configFile: string | undefined;
    /** Names it may be asked by besides the machine's own and its addresses. */
    readonly allowedHosts: readonly string[];
  };
  readonly libvirt: {
    readonly uri: string;
    /** Calls under way at once, those that are stuck included. */
    readonly maxCalls: number;
    /** Stuck calls from which on guests are asked one at a time. */
    readonly maxStuckCalls: number;
  };
  readonly guests: {
    /** `auto`, `libvirt`, `proxmox`, `process`; empty: auto. */
    readonly sources: readonly string[];
    /** Somebody said where libvirt is, and so that there is one. */
    readonly isLibvirtNamed: boolean;
    /** What of guests' metadata becomes a label. */
    readonly metadataLabels: readonly MetadataLabelFlag[];
  };
  /** Mount points of the host's file trees, without trailing slash; `rootfs` '' means our own. */
  readonly paths: {
    readonly procfs: string;
    readonly sysfs: string;
    readonly rootfs: string;
  };
  /** Names of the collectors that are on. */
  readonly collectors: ReadonlySet<string>;
  readonly scrape: {
    /** Longest a scrape may take, whatever the server allows. */
    readonly timeoutSeconds: number;
    /** Taken off the server's own timeout, so that the answer still arrives in time. */
    readonly timeoutOffsetSeconds: number;
  };
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
  /** undefined: the built-in policy. */
  readonly policyFile: string | undefined;
  /** Nova's configuration, over which the policy file is laid; undefined: none. */
  readonly novaConf: string | undefined;
  /** Show a simulated host instead of this one. */
  readonly demo: boolean;
}

/** A configuration to run with, a file to check, or what to print and the code to exit with. */
export type ParsedFlags =
  | { readonly kind: 'run'; readonly config: Config }
  /** Only say whether this policy file is sound. */
  | {
      readonly kind: 'check-policy';
      readonly policyFile: string | undefined;
      readonly novaConf: string | undefined;
    }
  /** Look twice, print what is so, and end. */
  | { readonly kind: 'report'; readonly config: Config; readonly report: ReportFlags }
  | {
      readonly kind: 'exit';
      readonly code: 0 | 2 | typeof REPORT_UNKNOWN;
      readonly stdout: string;
      readonly stderr: string;
    };

export interface ReportFlags {
  /** Between the two looks. */
  readonly intervalSeconds: number;
  readonly json: boolean;
}

/** Exit status of a report that could not tell, as Nagios, Icinga and Checkmk have it. */
export const REPORT_UNKNOWN = 3;
/** The subcommand. */
export const REPORT = 'report';

/**
 * Reads the command line. Pure: no process, no output.
 *
 * @param argv the arguments after the program's name.
 * @param collectors what `--collector.<name>` may switch.
 * @param version the text after the name for `--version`.
 */
export function parseFlags(
  argv: readonly string[],
  collectors: readonly CollectorFlag[],
  version: string,
): ParsedFlags {
  let stdout = '';
  const command = declare(collectors, version);
  const report = declareReport(command);
  const asked = { isReport: false };
  command.hook('preSubcommand', () => {
    asked.isReport = true;
  });
  for (const one of [command, report]) {
    one.exitOverride().configureOutput({
      writeOut: (text) => {
        stdout += text;
      },
      writeErr: () => undefined,
    });
  }
  try {
    command.parse([...argv], { from: 'user' });
    const config = toConfig(command, collectors);
    if (asked.isReport) {
      const { interval, json } = report.opts<RawReportFlags>();
      return {
        kind: 'report',
        config,
        report: { intervalSeconds: interval, json: json === true },
      };
    }
    if (command.opts<RawFlags>()['policy.check'] !== true) return { kind: 'run', config };
    const { policyFile, novaConf } = config;
    if (policyFile === undefined && novaConf === undefined) {
      throw fault('--policy.check needs --policy.file or --policy.from');
    }
    return { kind: 'check-policy', policyFile, novaConf };
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: 'exit', code: 0, stdout, stderr: '' };
    const known = asked.isReport ? [...command.options, ...report.options] : command.options;
    const message = `${error.message}${hintFor(error, known)}`;
    // 2 would be a risk.
    const code = asked.isReport ? REPORT_UNKNOWN : 2;
    return { kind: 'exit', code, stdout: '', stderr: complaint(message) };
  }
}

/** What is wrong with flags of which each by itself is right. */
function fault(message: string): CommanderError {
  return new CommanderError(2, 'flags', message);
}

/** After an unknown flag: what was meant, if it is plain. */
function hintFor({ code, message }: CommanderError, options: readonly Option[]): string {
  const name = /^error: unknown option '-{0,2}([^=]*).*'$/s.exec(message)?.[1];
  if (code !== 'commander.unknownOption' || name === undefined) return '';
  const known = [...options.map(({ long }) => long ?? ''), '--help'].map((flag) => flag.slice(2));
  if (known.includes(name) && message.includes(`'--${name}=`)) return `: --${name} takes no value`;
  const meant = nearestWord(name, known);
  return meant === undefined ? '' : ` (Did you mean --${meant}?)`;
}

/** One line whatever the arguments held: they may contain newlines and escape sequences. */
function complaint(message: string): string {
  const line = message
    .replace(/^error: /, '')
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim();
  return `${PROGRAM}: ${visibleText(line)}; see --help\n`;
}

function declare(collectors: readonly CollectorFlag[], version: string): Command {
  const command = new Command(PROGRAM)
    .description('Prometheus exporter for over-committed KVM hosts.')
    .usage('[flags]')
    .allowExcessArguments(false)
    .showSuggestionAfterError(false)
    .configureHelp({ helpWidth: 100, subcommandTerm: (sub) => `${sub.name()} [flags]` })
    .addOption(
      new Option(
        '--web.listen-address <address>',
        'Address to listen on, may be repeated (default: :9177).',
      ).argParser(addListenAddress),
    )
    .option('--web.telemetry-path <path>', 'Path of the metrics.', telemetryPath, '/metrics')
    .option('--web.max-requests <number>', 'Most requests answered at once.', positiveInteger, 40)
    .option('--web.disable-exporter-metrics', 'Leave out metrics about the exporter itself.')
    .option('--web.config.file <path>', 'TLS and logins, YAML; read again on SIGHUP.')
    .addOption(
      new Option(
        '--web.allowed-host <name>',
        "Name the page may be asked by besides this host's own, may be repeated.",
      ).argParser(addHostName),
    )
    .option('--libvirt.uri <uri>', 'Hypervisor to read from.', libvirtUri, 'qemu:///system')
    .option(
      '--libvirt.max-calls <number>',
      'Most calls to libvirt at once; its daemon starts with 5 workers for all clients.',
      positiveInteger,
      4,
    )
    .option(
      '--libvirt.max-stuck-calls <number>',
      'Calls that may be stuck before guests are asked one at a time only.',
      positiveInteger,
      2,
    )
    .addOption(
      new Option(
        '--guests.source <source>',
        'Where to look for guests, may be repeated (default: auto, wherever there may be some).',
      )
        .choices(GUEST_SOURCES)
        .argParser(addGuestSource),
    )
    .addOption(
      new Option(
        '--guests.metadata-label <path=label>',
        "Element or @attribute of guests' metadata to show as a label of kvm_domain_owner_info, may be repeated.",
      ).argParser(addMetadataLabel),
    )
    .option('--path.procfs <path>', "Mount point of the host's /proc.", absolutePath, '/proc')
    .option('--path.sysfs <path>', "Mount point of the host's /sys.", absolutePath, '/sys')
    .option('--path.rootfs <path>', "Mount point of the host's root file system.", rootPath, '')
    .addOption(
      new Option('--scrape.timeout <duration>', 'Longest a scrape may take.')
        .argParser(positiveDuration)
        .default(10, '10s'),
    )
    .addOption(
      new Option(
        '--scrape.timeout-offset <duration>',
        "Time to take off the timeout announced in Prometheus' request.",
      )
        .argParser(duration)
        .default(0.5, '500ms'),
    )
    .option('--policy.file <path>', 'Limits and reserves of this host, YAML; read again on SIGHUP.')
    .option(
      '--policy.from <source>',
      'Limits and reserves that another program has: nova:/etc/nova/nova.conf; read again on SIGHUP.',
      policySource,
    )
    .option(
      '--policy.check',
      'Check the files of --policy.file and --policy.from and exit with 0 or 2; start nothing.',
    )
    .option('--demo', 'Show a simulated over-committed host; needs no libvirt.')
    .addOption(
      new Option('--log.level <level>', 'Least important messages to log.')
        .choices(LOG_LEVELS)
        .default('info'),
    )
    .addOption(
      new Option('--log.format <format>', 'Form of log messages.')
        .choices(LOG_FORMATS)
        .default('logfmt'),
    )
    .option('--collector.disable-defaults', 'Start with every collector off.');
  for (const { name, help, defaultEnabled } of collectors) {
    const state = defaultEnabled ? 'default: on' : 'default: off';
    command.option(`--collector.${name}`, `Collect ${help} (${state})`);
    command.addOption(new Option(`--no-collector.${name}`).hideHelp());
  }
  return (
    command
      .version(`${PROGRAM} ${version}`, '--version', 'Print the version and exit.')
      .helpOption('-h, --help', 'Print this help and exit.')
      .addHelpText('after', '\nEvery --collector.<name> has a --no-collector.<name>.')
      .helpCommand(false)
      // Runs the exporter; without it commander would ask for a subcommand.
      .action(() => undefined)
  );
}

/** Looks twice and prints; takes the flags of the exporter as well, so that both can be given the same. */
function declareReport(command: Command): Command {
  return command
    .command(REPORT)
    .description(
      'Look twice, print the risks of this host and end; no server. Exit status: 0 low or medium, ' +
        '1 high, 2 critical, 3 unknown.',
    )
    .usage('[flags]')
    .allowExcessArguments(false)
    .showSuggestionAfterError(false)
    .configureHelp({ helpWidth: 100 })
    .addOption(
      new Option('--interval <duration>', 'Time between the two looks.')
        .argParser(interval)
        .default(5, '5s'),
    )
    .option('--json', 'Print what /api/v1/host answers.')
    .helpOption('-h, --help', 'Print this help and exit.')
    .addHelpText(
      'after',
      `\nTakes the flags of ${PROGRAM} as well: --libvirt.uri, --policy.file, --demo, …`,
    )
    .action(() => undefined);
}

/** A flag as the manual page and the shells' completions tell of it. */
export interface FlagText {
  /** `--name`, as it is typed. */
  readonly long: string;
  /** What its value is called in the help; undefined: it takes none. */
  readonly value: string | undefined;
  readonly help: string;
  readonly default: string | undefined;
  /** The only values it takes, where there are such. */
  readonly choices: readonly string[] | undefined;
}

/** Every flag of `--help`, in its order. */
export function flagTexts(collectors: readonly CollectorFlag[]): readonly FlagText[] {
  return textsOf(declare(collectors, ''));
}

/** The flags that `report` has of its own. */
export function reportFlagTexts(): readonly FlagText[] {
  return textsOf(declareReport(declare([], ''))).filter(({ long }) => long !== '--help');
}

function textsOf(command: Command): readonly FlagText[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map((option) => ({
      long: option.long ?? option.flags,
      value: /<(.+)>/.exec(option.flags)?.[1],
      help: option.description,
      default:
        option.defaultValueDescription ??
        (option.required && option.defaultValue !== undefined && option.defaultValue !== ''
          ? String(option.defaultValue)
          : undefined),
      choices: option.argChoices,
    }));
}

const GUEST_SOURCES: readonly string[] = ['auto', 'libvirt', 'proxmox', 'process'];
const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
const LOG_FORMATS: readonly LogFormat[] = ['logfmt', 'json'];
const DEFAULT_ADDRESS: ListenAddress = { host: undefined, port: 9177 };

interface RawFlags {
  'web.listenAddress'?: readonly ListenAddress[];
  'web.telemetryPath': string;
  'web.maxRequests': number;
  'web.disableExporterMetrics'?: boolean;
  'web.config.file'?: string;
  'web.allowedHost'?: readonly string[];
  'libvirt.uri': string;
  'libvirt.maxCalls': number;
  'libvirt.maxStuckCalls': number;
  'guests.source'?: readonly string[];
  'guests.metadataLabel'?: readonly MetadataLabelFlag[];
  'path.procfs': string;
  'path.sysfs': string;
  'path.rootfs': string;
  'scrape.timeout': number;
  'scrape.timeoutOffset': number;
  'policy.file'?: string;
  'policy.from'?: string;
  'policy.check'?: boolean;
  demo?: boolean;
  'log.level': LogLevel;
  'log.format': LogFormat;
  'collector.disableDefaults'?: boolean;
}

interface RawReportFlags {
  interval: number;
  json?: boolean;
}

function toConfig(command: Command, collectors: readonly CollectorFlag[]): Config {
  const flags = command.opts<RawFlags>();
  if (flags['scrape.timeoutOffset'] >= flags['scrape.timeout']) {
    throw fault('--scrape.timeout-offset must be shorter than --scrape.timeout');
  }
  if (flags['libvirt.maxStuckCalls'] >= flags['libvirt.maxCalls']) {
    throw fault('--libvirt.max-stuck-calls must be less than --libvirt.max-calls');
  }
  return {
    web: {
      listenAddresses: flags['web.listenAddress'] ?? [DEFAULT_ADDRESS],
      telemetryPath: flags['web.telemetryPath'],
      maxRequests: flags['web.maxRequests'],
      exporterMetrics: flags['web.disableExporterMetrics'] !== true,
      configFile: flags['web.config.file'],
      allowedHosts: flags['web.allowedHost'] ?? [],
    },
    libvirt: {
      uri: flags['libvirt.uri'],
      maxCalls: flags['libvirt.maxCalls'],
      maxStuckCalls: flags['libvirt.maxStuckCalls'],
    },
    guests: {
      sources: flags['guests.source'] ?? [],
      isLibvirtNamed: command.getOptionValueSource('libvirt.uri') === 'cli',
      metadataLabels: flags['guests.metadataLabel'] ?? [],
    },
    paths: {
      procfs: flags['path.procfs'],
      sysfs: flags['path.sysfs'],
      rootfs: flags['path.rootfs'],
    },
    collectors: enabledCollectors(command, collectors, flags['collector.disableDefaults'] === true),
    scrape: {
      timeoutSeconds: flags['scrape.timeout'],
      timeoutOffsetSeconds: flags['scrape.timeoutOffset'],
    },
    log: { level: flags['log.level'], format: flags['log.format'] },
    policyFile: flags['policy.file'],
    novaConf: flags['policy.from'],
    demo: flags.demo === true,
  };
}

function enabledCollectors(
  command: Command,
  collectors: readonly CollectorFlag[],
  defaultsOff: boolean,
): ReadonlySet<string> {
  const enabled = collectors.filter(({ name, defaultEnabled }) => {
    const key = `collector.${camelCase(name)}`;
    // Commander gives a flag that has a negation the default "true" by itself.
    if (command.getOptionValueSource(key) === 'cli') return command.getOptionValue(key) === true;
    return defaultEnabled && !defaultsOff;
  });
  return new Set(enabled.map(({ name }) => name));
}

/** Commander's own spelling of a flag's key. */
function camelCase(name: string): string {
  return name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

function addListenAddress(
  text: string,
  before: readonly ListenAddress[] | undefined,
): readonly ListenAddress[] {
  const address = parseListenAddress(text);
  if (address === undefined) {
    throw new InvalidArgumentError('Allowed are :9177, 127.0.0.1:9177, [::1]:9177.');
  }
  return [...(before ?? []), address];
}

function addGuestSource(text: string, before: readonly string[] | undefined): readonly string[] {
  if (!GUEST_SOURCES.includes(text)) {
    throw new InvalidArgumentError(`Allowed choices are ${GUEST_SOURCES.join(', ')}.`);
  }
  return [...(before ?? []), text];
}

function addHostName(text: string, before: readonly string[] | undefined): readonly string[] {
  const bare = text.replace(/^\[(.*)\]$/, '$1');
  if (!/^[\w.~-]+$/.test(bare) && isIP(bare) === 0) {
    throw new InvalidArgumentError('Allowed is a name or address without port: kvm1.example.com.');
  }
  return [...(before ?? []), bare];
}

function addMetadataLabel(
  text: string,
  before: readonly MetadataLabelFlag[] | undefined,
): readonly MetadataLabelFlag[] {
  const parsed = parseMetadataLabel(text, before ?? []);
  if (typeof parsed === 'string') throw new InvalidArgumentError(parsed);
  return [...(before ?? []), parsed];
}

/** The path of Nova's configuration, which is the only one so far. */
function policySource(text: string): string {
  const path = /^nova:(\/.*)$/s.exec(text)?.[1];
  if (path === undefined) throw new InvalidArgumentError('Allowed is nova:/etc/nova/nova.conf.');
  return path;
}

function telemetryPath(text: string): string {
  if (!/^\/[\w./-]*$/.test(text)) throw new InvalidArgumentError('It must begin with a slash.');
  if (text.startsWith('/-/')) throw new InvalidArgumentError('/-/ is kept for health checks.');
  return text;
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError('It must be a whole number from 1.');
  }
  return value;
}

function duration(text: string): number {
  const seconds = parseDuration(text);
  if (seconds === undefined) throw new InvalidArgumentError('Allowed are 10s, 500ms, 1m, 10.');
  return seconds;
}

function positiveDuration(text: string): number {
  const seconds = duration(text);
  if (seconds === 0) throw new InvalidArgumentError('It must be longer than 0.');
  return seconds;
}

/** Over less than two seconds a rate says more about the clock than about the host. */
function interval(text: string): number {
  const seconds = duration(text);
  if (seconds < 2 || seconds > 60) throw new InvalidArgumentError('It must be from 2s to 60s.');
  return seconds;
}

function libvirtUri(text: string): string {
  if (!/^[a-z][a-z0-9+]*:\/\/\S*$/.test(text)) {
    throw new InvalidArgumentError('Allowed is a URI like qemu:///system.');
  }
  return text;
}

function absolutePath(text: string): string {
  if (!text.startsWith('/')) throw new InvalidArgumentError('It must begin with a slash.');
  return text.replace(/(?!^)\/+$/, '');
}

function rootPath(text: string): string {
  return text === '' || text === '/' ? '' : absolutePath(text);
}
