import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { z } from 'zod';

import { ALERTS, labelsOfAlert } from '../../docs/runbook-faults.ts';
import {
  commandsOf,
  filled,
  readRunbooks,
  sectionOf,
  stepsOf,
  type Runbook,
} from '../../docs/runbook.ts';
import { offerUsualSockets } from '../../lab/directions.ts';
import { attempt, type CommandResult } from '../../lab/command.ts';
import {
  ensurePackages,
  eventually,
  openLab,
  type FuseFilesystem,
  type Lab,
  type LabExporter,
  type LabProcess,
} from '../../lab/index.ts';
import { privatePath } from '../../lab/namespaces.ts';
import { sysfsWithHardware } from '../../lab/shadow-sysfs.ts';
import { TREATED, TREATED_TAP, TREATMENTS } from '../support/runbook-mitigations.ts';
import { NOT_ON_THIS_HOST, SHOWN, type Shown, type Trouble } from '../support/runbook-promises.ts';
import { VolumeGroup } from '../support/storage/volume-group.ts';

/** What programs say when they are called wrongly, in a pipeline that ends with 0 all the same. */
const WRONG_USE =
  /not found|invalid option|unknown (?:option|command)|unrecognized|unexpected|usage:|syntax error|^error:/im;

const RULES = resolve(import.meta.dirname, '../../rules');
const DOMAIN = 'runbook-guest';
const PAUSED = 'runbook-paused';
const STOPPED = 'runbook-stopped';
const NEIGHBOUR = 'runbook-neighbour';
/** A link whose other end is down, so that it has no carrier. */
const WITHOUT_CABLE = 'runbook-cable';
const POOL = 'runbook-pool';
const UPLINK = 'uplink0';
const MORE_LOOKS = 3;
const TAP = 'runbook-tap0';
const PORT = 9090;

const runbooks = readRunbooks();

describe('what runbooks tell people to run', () => {
  let lab: Lab;
  let exporter: LabExporter;
  let prometheus: LabProcess;
  let prometheusUrl: string;
  let values: Readonly<Record<string, string>>;
  let corruptImage: string;
  let dead: FuseFilesystem;
  let group: VolumeGroup;
  /** By text: many runbooks share a command, and some take seconds. */
  const results = new Map<string, Promise<CommandResult>>();
  const used = new Set<RegExp>();

  beforeAll(async () => {
    await ensurePackages(['prometheus', 'lvm2', 'lsof', 'procps', 'curl']);
    group = new VolumeGroup();
    lab = await openLab();
    offerUsualSockets(lab);
    const mountpoint = await lab.filesystem({ type: 'ext4', sizeMib: 32, name: 'images' });
    const guest = await lab.startGuest({
      name: DOMAIN,
      persistent: true,
      cpuTune: { periodUs: 100_000, quotaUs: 90_000 },
      memoryBacking: { noSharePages: true },
      disks: [{ source: { kind: 'new', format: 'qcow2', sizeMib: 16, directory: mountpoint } }],
      nics: [{ target: TAP, inboundKibPerSecond: 1024 }],
    });
    await lab.startGuest({ name: NEIGHBOUR, os: 'none', nics: [{}] });
    await makeTrouble();
    await lab.defineGuest({ name: 'runbook-off', os: 'none', autostart: true });
    await lab.virsh('pool-create-as', POOL, 'dir', '--target', mountpoint);

    exporter = await lab.exporter({
      flags: [
        `--path.sysfs=${sysfsWithHardware(lab.sysfs, join(lab.directory.state, 'sysfs'), UPLINK, 1000)}`,
      ],
    });
    const instance = new URL(exporter.url).host;
    prometheusUrl = `http://${lab.network.labAddress}:${PORT}`;
    prometheus = await startPrometheus(lab, instance);
    await eventually(
      'the rules have values',
      60_000,
      async () => (await ask('instance_domain:kvm_domain_cpu_seconds:rate5m')).results > 0,
      () => prometheus.output().slice(-2000),
    );
    await guest.waitFor();
    await eventually('the driver of the balloon answers', 60_000, async () =>
      /^usable \d+$/m.test(await lab.virsh('dommemstat', DOMAIN)),
    );
    await lab.guest(PAUSED).waitForState('paused (I/O error)');
    values = {
      instance,
      job: 'kvm',
      domain: DOMAIN,
      uplink: UPLINK,
      cpuset: readFileSync('/sys/devices/system/cpu/online', 'utf8').trim(),
      collector: 'domain',
      direction: 'inbound',
      mountpoint,
      page_size: '2097152',
      path: guest.diskPaths[0] ?? '',
      pool: POOL,
      vg: 'vg',
    };
  });

  afterAll(async () => {
    await lab.close();
    group[Symbol.dispose]();
    rmSync(`/var/tmp/${TREATED}.dump`, { force: true });
  });

  /** What steps look for that are followed because something is wrong. */
  const makeTrouble = async (): Promise<void> => {
    const tiny = await lab.filesystem({ type: 'ext4', sizeMib: 16, name: 'tiny' });
    await lab.startGuest({
      name: PAUSED,
      disks: [{ source: { kind: 'new', format: 'qcow2', sizeMib: 64, directory: tiny } }],
      jobs: [{ kind: 'fill', disk: 'vda', mib: 64 }],
    });
    await lab.startGuest({ name: STOPPED, os: 'none' });
    corruptImage = await makeCorruptImage(lab);
    await lab.ip('link', 'add', WITHOUT_CABLE, 'type', 'veth', 'peer', 'name', 'runbook-end');
    await lab.ip('link', 'set', WITHOUT_CABLE, 'up');
    dead = await lab.fuse('dead');
    await lab.swapFile(32);
    // A file that is deleted and still open, and one of those who move balloons.
    const gone = join(lab.directory.filesystems, 'images', 'gone');
    writeFileSync(gone, 'here\n');
    await lab.spawn('tail', ['-f', gone]);
    await lab.spawn('bash', ['-c', 'exec -a vdsmd sleep 3600']);
    await eventually('the file is open', 10_000, async () => {
      const { stdout } = await attempt('lsof', ['-w', gone]);
      return stdout.includes('tail');
    });
    rmSync(gone);
    // As QEMU writes them.
    const logs = join(privatePath(lab.directory, '/var/log/libvirt'), 'qemu');
    appendFileSync(
      join(logs, `${NEIGHBOUR}.log`),
      'qcow2: Marking image as corrupt: Preventing invalid write on metadata (overlaps with ' +
        'qcow2_header); further corruption events will be suppressed\n',
    );
    appendFileSync(
      join(logs, `${DOMAIN}.log`),
      'qemu-system-x86_64: terminating on signal 15 from pid 4711 (/usr/sbin/libvirtd)\n',
    );
  };

  /** What the labels of an alert are where that is wrong. */
  const valuesIn = (trouble: Trouble | undefined): Readonly<Record<string, string>> => {
    switch (trouble) {
      case undefined:
        return {};
      case 'paused':
        return { domain: PAUSED };
      case 'stopped':
        return { domain: STOPPED };
      case 'corrupt':
        return { path: corruptImage };
      case 'no cable':
        return { device: WITHOUT_CABLE };
      case 'refused':
        return { instance: `${lab.network.labAddress}:1` };
      case 'dead':
        return { mountpoint: dead.mountPoint };
    }
  };

  /** What the labels of an alert are here. An interface is the guest's if the alert names one. */
  const valuesFor = ({ name }: Runbook): Readonly<Record<string, string>> => {
    const labels = labelsOfAlert(ALERTS.find((alert) => alert.name === name));
    return { ...values, device: labels.includes('domain') ? TAP : UPLINK };
  };

  /** An expression in Prometheus, now. */
  const ask = async (query: string) => {
    try {
      const body = new URLSearchParams({ query });
      const response = await fetch(`${prometheusUrl}/api/v1/query`, { method: 'POST', body });
      const text = await response.text();
      if (response.status !== 200) return { fault: text, results: 0 };
      return { fault: undefined, results: answer.parse(JSON.parse(text)).data.result.length };
    } catch (error) {
      // Not listening yet.
      return { fault: String(error), results: 0 };
    }
  };

  /** A command on the "host": where the lab's libvirt, its files and its network are. */
  const shell = (command: string, env: Readonly<Record<string, string>>) => {
    const here = command.replaceAll('http://localhost:9090', prometheusUrl);
    const key = JSON.stringify([env, here]);
    const known = results.get(key);
    if (known !== undefined) return known;
    const result = run(here, env);
    results.set(key, result);
    return result;
  };

  const run = (command: string, env: Readonly<Record<string, string>>): Promise<CommandResult> => {
    const { network, mount } = lab.network;
    return attempt('nsenter', [`--net=${network}`, `--mount=${mount}`, 'bash', '-c', command], {
      env: { ...group.environment, ...env },
      timeoutMs: 60_000,
    });
  };

  /** What the commands of a step print together, in order, where that is so. */
  const printed = async (
    runbook: Runbook,
    commands: readonly string[],
    { trouble, kernel }: Shown,
  ): Promise<string> => {
    const env = { ...valuesFor(runbook), ...valuesIn(trouble) };
    // Only a shell that goes on says how a command has ended.
    const rest = trouble === 'dead' ? '\n:' : '';
    const log = kernel === undefined ? '' : `dmesg() { cat <<'EOF'\n${kernel}\nEOF\n}\n`;
    let all = '';
    for (const command of commands) {
      const { stdout, stderr } = await shell(log + command + rest, env);
      all += stdout + stderr;
    }
    return all;
  };

  /** What does not print what the text says, of steps with such trouble. */
  const brokenPromises = async (
    runbook: Runbook,
    isMeant: (trouble: Trouble | undefined) => boolean,
  ): Promise<readonly string[]> => {
    const broken: string[] = [];
    const diagnosis = sectionOf(runbook, 'Diagnosis');
    for (const { number, blocks } of diagnosis === undefined ? [] : stepsOf(diagnosis)) {
      const commands = blocks
        .filter(({ language }) => language === 'sh')
        .flatMap(commandsOf)
        .filter((command) => !NOT_ON_THIS_HOST.some((one) => one.command.test(command)));
      for (const shown of SHOWN[`${runbook.name} ${number}`] ?? []) {
        if (!isMeant(shown.trouble)) continue;
        const isKept = (text: string): boolean =>
          shown.prints instanceof RegExp ? shown.prints.test(text) : shown.prints(text);
        let text = await printed(runbook, commands, shown);
        // A monitor may have been busy just then, and the text says so.
        for (let look = 0; look < MORE_LOOKS && !isKept(text); look += 1) {
          results.clear();
          text = await printed(runbook, commands, shown);
        }
        if (!isKept(text)) broken.push(`${number}: ${shown.says}\n${text.slice(0, 2000)}`);
      }
    }
    return broken;
  };

  describe.each(runbooks)('$name', (runbook) => {
    const blocks = sectionOf(runbook, 'Diagnosis')?.blocks ?? [];
    const commands = blocks.filter(({ language }) => language === 'sh').flatMap(commandsOf);
    const expressions = blocks.filter(({ language }) => language === 'promql');

    it('has commands that work', async () => {
      const failed: string[] = [];
      for (const command of commands) {
        const exception = NOT_ON_THIS_HOST.find((one) => one.command.test(command));
        if (exception !== undefined) {
          used.add(exception.command);
          continue;
        }
        const { status, stderr, stdout } = await shell(command, valuesFor(runbook));
        if (status !== 0 || WRONG_USE.test(stderr)) {
          failed.push(`${command}: ${status}: ${stderr || stdout}`);
        }
      }
      expect(failed).toEqual([]);
    });

    it('has commands that print what its text says', async () => {
      const elsewhere: readonly (Trouble | undefined)[] = ['stopped', 'dead'];
      expect(await brokenPromises(runbook, (trouble) => !elsewhere.includes(trouble))).toEqual([]);
    });

    it('has expressions Prometheus takes', async () => {
      const refused: string[] = [];
      for (const { text } of expressions) {
        const { fault } = await ask(filled(text, valuesFor(runbook)));
        if (fault !== undefined) refused.push(`${text}: ${fault}`);
      }
      expect(refused).toEqual([]);
    });
  });

  it('no exception is left from a command that is gone', () => {
    expect(NOT_ON_THIS_HOST.filter(({ command }) => !used.has(command))).toEqual([]);
  });

  it('most expressions have a result on a host where nothing is wrong', async () => {
    const empty: string[] = [];
    let asked = 0;
    for (const runbook of runbooks) {
      for (const { language, text } of sectionOf(runbook, 'Diagnosis')?.blocks ?? []) {
        if (language !== 'promql') continue;
        asked += 1;
        const { results } = await ask(filled(text, valuesFor(runbook)));
        if (results === 0) empty.push(`${runbook.name}: ${text}`);
      }
    }
    expect(empty.length, empty.join('\n')).toBeLessThan(asked / 2);
  });

  it('says what a QEMU looks like that is stopped', async () => {
    lab.pause(lab.qemuPid(STOPPED));
    const waiting = lab.virsh('dommemstat', STOPPED).catch(() => '');
    await eventually('somebody waits for its answer', 30_000, async () =>
      (await lab.virsh('domcontrol', STOPPED)).startsWith('occupied'),
    );
    const broken: string[] = [];
    for (const runbook of runbooks) {
      const own = await brokenPromises(runbook, (trouble) => trouble === 'stopped');
      broken.push(...own.map((one) => `${runbook.name} ${one}`));
    }
    lab.resume(lab.qemuPid(STOPPED));
    await waiting;
    expect(broken).toEqual([]);
  });

  it('has mitigations that do to a guest what they say', async () => {
    const other = join(lab.directory.images, 'runbook-copy.qcow2');
    const here = { domain: TREATED, pool: POOL, other };
    writeFileSync(join(lab.directory.filesystems, 'images', 'old.qcow2'), '');
    await lab.virsh('pool-refresh', POOL);
    await lab.startGuest({
      name: TREATED,
      persistent: true,
      vcpus: { current: 1, maximum: 4 },
      disks: [{ source: { kind: 'new', format: 'qcow2', sizeMib: 8 } }],
      nics: [{ target: TREATED_TAP }],
    });
    await lab.guest(TREATED).waitFor();
    const wrong: string[] = [];
    for (const { command, here: numbers = {}, ask: question, shows } of TREATMENTS) {
      const fitting = Object.entries(numbers).reduce(
        (text, [from, to]) => text.replaceAll(from, to),
        command,
      );
      const done = await run(`virsh -c qemu:///system ${fitting}`, here);
      let seen = '';
      // A balloon takes a moment.
      const isTrue = await eventually(fitting, 20_000, async () => {
        const { stdout, stderr } = await run(`virsh -r -c qemu:///system ${question}`, here);
        seen = stdout + stderr;
        return shows.test(stdout);
      }).then(
        () => true,
        () => false,
      );
      if (done.status !== 0 || !isTrue) wrong.push(`${fitting}: ${done.stderr}${seen}`);
    }
    expect(wrong).toEqual([]);
  });

  it('commands of a mitigation have the subcommands and options virsh knows', async () => {
    const unknown: string[] = [];
    for (const runbook of runbooks) {
      for (const { text } of sectionOf(runbook, 'Mitigation')?.blocks ?? []) {
        for (const [, subcommand = '', rest = ''] of text.matchAll(VIRSH)) {
          const { status, stdout } = await shell(`virsh help ${subcommand}`, values);
          if (status !== 0) unknown.push(`${runbook.name}: ${subcommand}`);
          for (const [option] of rest.matchAll(/(?<=\s)--[a-z-]+/g)) {
            const known = new RegExp(`(?<![\\w-])${option}(?![\\w-])`).test(stdout);
            if (!known) unknown.push(`${runbook.name}: ${subcommand} ${option}`);
          }
        }
      }
    }
    expect(unknown).toEqual([]);
  });

  // The last one: whoever touches that filesystem hangs.
  it('says what a filesystem looks like that is dead', async () => {
    dead.die();
    const broken: string[] = [];
    for (const runbook of runbooks) {
      const own = await brokenPromises(runbook, (trouble) => trouble === 'dead');
      broken.push(...own.map((one) => `${runbook.name} ${one}`));
    }
    expect(broken).toEqual([]);
  });
});

/** A qcow2 with a base, a snapshot, a bitmap and the mark of QEMU that it is damaged. */
async function makeCorruptImage(lab: Lab): Promise<string> {
  const base = join(lab.directory.images, 'runbook-base.qcow2');
  const image = join(lab.directory.images, 'runbook-corrupt.qcow2');
  await lab.programs.run('qemu-img', ['create', '-q', '-f', 'qcow2', base, '1M']);
  await lab.programs.run('qemu-img', [
    ...['create', '-q', '-f', 'qcow2', '-F', 'qcow2'],
    ...['-b', base, image],
  ]);
  await lab.programs.run('qemu-img', ['snapshot', '-c', 'before', image]);
  await lab.programs.run('qemu-img', ['bitmap', '--add', image, 'backup']);
  // Bit 1 of the incompatible features, of which byte 79 is the last (docs/interop/qcow2.txt).
  const file = openSync(image, 'r+');
  writeSync(file, Buffer.from([0x02]), 0, 1, 79);
  closeSync(file);
  return image;
}

/** Subcommand and arguments of each virsh of a block. */
const VIRSH = /\bvirsh (?:-r )?-c \S+ ([a-z0-9-]+)([^\n|;)]*)/g;

const answer = z.object({
  data: z.object({ result: z.array(z.unknown()) }),
});

/** A Prometheus beside the exporter, with the whole rule pack. */
async function startPrometheus(lab: Lab, target: string): Promise<LabProcess> {
  const directory = join(lab.directory.state, 'prometheus');
  mkdirSync(directory);
  const config = join(directory, 'prometheus.yaml');
  writeFileSync(
    config,
    stringify({
      global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
      rule_files: [join(RULES, 'recording.yaml'), join(RULES, 'alerts.yaml')],
      scrape_configs: [{ job_name: 'kvm', static_configs: [{ targets: [target] }] }],
    }),
  );
  return lab.spawn('prometheus', [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(directory, 'data')}`,
    `--web.listen-address=${lab.network.labAddress}:${PORT}`,
  ]);
}
