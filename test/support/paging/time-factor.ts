/**
 * How much faster time passes for the rules in the lab: every range selector, offset, `for` and
 * `keep_firing_for` of the pack is divided by it, and so is every limit of the policy that is a
 * time to act (`storage.fill_seconds`, `storage.imminent_seconds`). Nothing else is changed: not
 * one expression, and no threshold but those two.
 *
 * 60 makes an hour a minute, and the shortest range, 1 m … 2 m, two scrapes at one per second.
 */
export const TIME_FACTOR = 60;
