import type { LinkState } from '../network.ts';

/**
 * Whether an interface can carry traffic (operstate and carrier in /sys/class/net). Drivers that do not
 * keep operstate leave it `unknown` (Documentation/networking/operstates.rst): then the carrier tells.
 * Undefined where its state was not read.
 */
export function isUp(state: LinkState | undefined): boolean | undefined {
  if (state?.operational === undefined) return undefined;
  const { operational, carrier } = state;
  return operational === 'up' || (operational === 'unknown' && carrier === true);
}

/**
 * Nominal speed in bytes per second, in each direction (/sys/class/net/<device>/speed). Undefined where
 * the driver does not know it, or made it up.
 */
export function toBytesPerSecond(state: LinkState | undefined): number | undefined {
  return state?.speed.known === true ? state.speed.bitsPerSecond / 8 : undefined;
}
