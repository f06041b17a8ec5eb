export type Role = 'web' | 'app' | 'db' | 'build' | 'mail' | 'cache';

/** Of OpenStack, by which guests are ordered and billed. */
interface Project {
  readonly name: string;
  readonly id: string;
}

/** What never changes about a guest of the demo host: 1 vCPU, 1 GiB, 100 GiB, one NIC each. */
export interface Guest {
  readonly index: number;
  readonly name: string;
  readonly role: Role;
  readonly uuid: string;
  readonly mac: string;
  readonly tap: string;
  readonly autostart: boolean;
  /** Whose it is; undefined: nobody wrote it down. */
  readonly project: Project | undefined;
  /** cgroup v2 cpu.weight; 100 is the default. */
  readonly cpuWeight: number;
  /** Relative size of its disk when the story begins. */
  readonly diskWeight: number;
}

const COUNTS: readonly (readonly [role: Role, count: number])[] = [
  ['web', 12],
  ['app', 8],
  ['db', 4],
  ['build', 4],
  ['mail', 2],
  ['cache', 2],
];

const SHOP: Project = { name: 'shop', id: '8f14e45fceea167a5a36dedd4bea2543' };

const PROJECTS: Readonly<Record<Role, Project | undefined>> = {
  web: SHOP,
  app: SHOP,
  cache: SHOP,
  db: { name: 'data', id: 'c9f0f895fb98ab9159f51fd0297e236d' },
  build: { name: 'ci', id: '45c48cce2e2d7fbdea1afc51c7c6ad26' },
  mail: undefined,
};

/** Somebody was in a hurry and gave the build guests all the weight there is. */
const BUILD_WEIGHT = 10_000;
const DEFAULT_WEIGHT = 100;

/** The talk's 32 guests. */
export const GUESTS: readonly Guest[] = COUNTS.flatMap(([role, count]) =>
  Array.from({ length: count }, (_, i) => ({
    role,
    name: `${role}-${String(i + 1).padStart(2, '0')}`,
  })),
).map(({ role, name }, index) => {
  const byte = index.toString(16).padStart(2, '0');
  return {
    index,
    name,
    role,
    uuid: `6d0a4f1e-52c3-4b8e-9f27-3ac0de5111${byte}`,
    mac: `52:54:00:3a:c0:${byte}`,
    tap: `vnet${index}`,
    autostart: role !== 'build',
    project: PROJECTS[role],
    cpuWeight: role === 'build' ? BUILD_WEIGHT : DEFAULT_WEIGHT,
    diskWeight: 1 + 0.3 * Math.sin(index * 2.4),
  };
});
