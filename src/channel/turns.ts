/**
 * How long all busy connections of this thread together may occupy the event loop in one turn, in milliseconds. Connections with little
 * to do never take turns, so they wait no longer than this, however many others are busy.
 */
const TURN_MS = 10;

/** The minimum for each busy connection when many wait, in milliseconds. */
const LEAST_MS = 1;

let waiting: (() => void)[] = [];
let isScheduled = false;
/** The number of the current turn. Turns in which `isTurnOver` is not called are not counted. */
let turn = 0;
/** Until when busy connections may work in this turn; undefined before the first one has called `isTurnOver`. */
let deadline: number | undefined;

/**
 * Whether the caller, which has already done much, must leave the rest to `later`. The first caller begins the turn.
 *
 * @param now the current `performance.now()`.
 */
export function isTurnOver(now: number): boolean {
  if (deadline === undefined) {
    deadline = now + TURN_MS;
    schedule();
  }
  return now > deadline;
}

/** The number of the current turn. If it has changed, other connections have had their turn. Changes only when `isTurnOver` is called. */
export function currentTurn(): number {
  return turn;
}

/** Calls `task` in a later turn of the event loop, after all waiting tasks. It must not throw. */
export function later(task: () => void): void {
  waiting.push(task);
  schedule();
}

function schedule(): void {
  if (isScheduled) return;
  isScheduled = true;
  setImmediate(beginTurn);
}

/** Waiting tasks share one turn. Tasks that it does not reach come first in the next one. */
function beginTurn(): void {
  isScheduled = false;
  turn++;
  const tasks = waiting;
  waiting = [];
  let now = performance.now();
  const end = now + TURN_MS;
  const share = Math.max(LEAST_MS, TURN_MS / tasks.length);
  let done = 0;
  for (; done < tasks.length && now < end; done++) {
    deadline = now + share;
    tasks[done]?.();
    now = performance.now();
  }
  if (done < tasks.length) waiting = [...tasks.slice(done), ...waiting];
  // If tasks are waiting, a busy connection that arrives before the next turn may use only the rest of this one.
  deadline = waiting.length > 0 ? end : undefined;
  if (waiting.length > 0) schedule();
}
