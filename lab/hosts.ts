import { HOST_NAMES, hostName, type HostName } from './host.ts';

/** Files of the lab's tests that cannot run on a host, each with the reason. All others do. */
export const LEFT_OUT: Readonly<Record<HostName, Readonly<Record<string, string>>>> = {
  here: {},
  trixie: {
    'network-devices.test.ts':
      'asks nothing of a host: a machine of its own makes the devices, without libvirt',
  },
};

export interface LabRun {
  readonly host: HostName;
  /** All arguments but `--host`: filters and options of vitest. */
  readonly rest: readonly string[];
}

/**
 * What `npm run test:lab -- …` was asked for: `--host=NAME` or `--host NAME`; default is what
 * the environment says, and that by default this machine.
 *
 * @throws RangeError for a host there is not, or none after `--host`.
 */
export function labRun(args: readonly string[]): LabRun {
  let host = hostName();
  const rest: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const argument = args[index] ?? '';
    if (argument.startsWith('--host=')) {
      host = hostName(argument.slice('--host='.length));
    } else if (argument === '--host') {
      const name = args[(index += 1)];
      if (name === undefined) throw new RangeError(`--host needs one of ${HOST_NAMES.join(', ')}`);
      host = hostName(name);
    } else {
      rest.push(argument);
    }
  }
  return { host, rest };
}
