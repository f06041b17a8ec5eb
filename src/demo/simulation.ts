import { computeActivity, ALIKE_RATIO, balloonTarget, IDLE, type Activity } from './activity.ts';
import { stepCpu } from './cpu.ts';
import { GUESTS } from './guests.ts';
import { bootMemory, computeMemoryStall, settledMemory, stepMemory } from './memory.ts';
import { stepNetwork } from './network.ts';
import { Schedule, type Moment } from './schedule.ts';
import { initialState, startedGuest, type State } from './state.ts';
import { allocatedAtStart, computeIoStall, stepStorage } from './storage.ts';
import { sum } from './units.ts';

/** Levels and rates change once a second. */
const STEP_SECONDS = 1;

/**
 * The demo host through time. The state depends on the time since the beginning alone: the same
 * moment is the same state in every run.
 */
export class Simulation {
  readonly schedule: Schedule;
  #state: State;

  constructor(speed: number) {
    this.schedule = new Schedule(speed);
    const beginning = this.schedule.at(0);
    const settled = GUESTS.map((guest) => settledMemory(computeActivity(guest, beginning)));
    this.#state = initialState(
      (guest) => ({
        touchedBytes: settled[guest.index] ?? 0,
        allocatedBytes: allocatedAtStart(guest),
      }),
      ALIKE_RATIO.calm * sum(settled, (bytes) => bytes),
    );
  }

  /**
   * The state so many seconds after the beginning. Time does not run backwards: for an earlier
   * moment than the last one, that whole second's state is given again.
   */
  at(seconds: number): State {
    while (this.#state.seconds + STEP_SECONDS <= seconds) this.#step(this.#state, STEP_SECONDS);
    // The rest of a second is tried out on a copy, so that each second begins alike.
    const state = structuredClone(this.#state);
    const rest = seconds - state.seconds;
    if (rest > 0) this.#step(state, rest);
    return state;
  }

  toMoment({ seconds }: State): Moment {
    return this.schedule.at(seconds);
  }

  #step(state: State, dt: number): void {
    const moment = this.schedule.at(state.seconds);
    if (moment.loop > state.loop) {
      restartPaused(state, moment);
      state.loop = moment.loop;
    }
    const activities = state.guests.map(({ guest, pausedAt }): Activity =>
      pausedAt === undefined ? computeActivity(guest, moment) : IDLE,
    );
    const memoryStall = computeMemoryStall(state);
    const ioStall = computeIoStall(state, activities);
    stepCpu(state, activities, memoryStall, ioStall, dt);
    stepMemory(state, activities, moment, memoryStall, dt);
    stepNetwork(state, activities, dt);
    // Last, since it pauses guests: what they did until then counts.
    stepStorage(state, activities, moment, ioStall, dt);
    state.seconds += dt;
  }
}

/** The operator makes room and starts the guests that were paused anew, from their backups. */
function restartPaused({ guests }: State, moment: Moment): void {
  for (const guest of guests) {
    if (guest.pausedAt === undefined) continue;
    Object.assign(
      guest,
      startedGuest(guest.starts + 1, moment.seconds, {
        balloonBytes: balloonTarget(moment),
        touchedBytes: bootMemory(),
        allocatedBytes: allocatedAtStart(guest.guest),
      }),
    );
  }
}
