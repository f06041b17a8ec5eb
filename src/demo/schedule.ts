/** What goes wrong on the demo host, in this order, over and over. */
export type Phase = 'calm' | 'noisy neighbour' | 'swap storm' | 'run on the bank' | 'out of space';

/** How long each phase lasts at normal speed. */
const PHASES: readonly { readonly phase: Phase; readonly seconds: number }[] = [
  { phase: 'calm', seconds: 600 },
  { phase: 'noisy neighbour', seconds: 300 },
  { phase: 'swap storm', seconds: 300 },
  { phase: 'run on the bank', seconds: 300 },
  { phase: 'out of space', seconds: 300 },
];

/** Where in the story a moment is. */
export interface Moment {
  /** Since the demo began. */
  readonly seconds: number;
  readonly phase: Phase;
  /** Times the story has been told to its end. */
  readonly loop: number;
  /** How fast the story goes. */
  readonly speed: number;
}

/**
 * The story's timetable. With a higher speed phases are shorter and levels (memory, disks) move as
 * much faster, but a CPU second stays a second and a gigabit a gigabit: only the disks speed up.
 */
export class Schedule {
  readonly speed: number;
  readonly loopSeconds: number;

  constructor(speed: number) {
    this.speed = speed;
    this.loopSeconds = PHASES.reduce((sum, { seconds }) => sum + seconds, 0) / speed;
  }

  at(seconds: number): Moment {
    const loop = Math.floor(seconds / this.loopSeconds);
    let left = (seconds - loop * this.loopSeconds) * this.speed;
    let phase: Phase = 'calm';
    for (const one of PHASES) {
      phase = one.phase;
      if (left < one.seconds) break;
      left -= one.seconds;
    }
    return { seconds, phase, loop, speed: this.speed };
  }

  /** When a phase of a loop begins and ends. */
  findSpan(phase: Phase, loop: number): { readonly start: number; readonly end: number } {
    const index = PHASES.findIndex((one) => one.phase === phase);
    const before = PHASES.slice(0, index).reduce((sum, { seconds }) => sum + seconds, 0);
    const start = loop * this.loopSeconds + before / this.speed;
    return { start, end: start + (PHASES[index]?.seconds ?? 0) / this.speed };
  }
}

/**
 * Part of the way a level goes towards its target in `dt` seconds, when it takes about
 * `timeConstant` seconds at normal speed.
 */
export function approach(dt: number, timeConstant: number, { speed }: Moment): number {
  return Math.min(1, (dt * speed) / timeConstant);
}
