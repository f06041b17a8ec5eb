import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A /sys that is another one in everything but this: a network interface looks like hardware, with
 * the `device` link and the speed a driver gives it. A lab has veth pairs only, and kernels of
 * small machines have neither bonds nor dummies.
 *
 * @param speedMegabits as /sys/class/net/<if>/speed has it.
 */
export function sysfsWithHardware(
  sysfs: string,
  directory: string,
  device: string,
  speedMegabits: number,
): string {
  const net = join(directory, 'class/net');
  const hardware = join(net, device);
  mkdirSync(hardware, { recursive: true });
  linkAll(sysfs, directory, ['class']);
  linkAll(join(sysfs, 'class'), join(directory, 'class'), ['net']);
  linkAll(join(sysfs, 'class/net'), net, [device]);
  linkAll(join(sysfs, 'class/net', device), hardware, ['speed', 'device']);
  writeFileSync(join(hardware, 'speed'), `${speedMegabits}\n`);
  symlinkSync('../../../devices', join(hardware, 'device'));
  return directory;
}

function linkAll(from: string, to: string, except: readonly string[]): void {
  for (const name of readdirSync(from)) {
    if (!except.includes(name)) symlinkSync(join(from, name), join(to, name));
  }
}
