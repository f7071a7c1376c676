/**
 * How long the connections of this thread that have much to do may keep the event loop in one turn, all together, in milliseconds.
 * Those that have little to do are never asked, so they wait for no more than this, however many have much.
 */
const TURN_MS = 10;

/** The least that each of them gets when many wait, in milliseconds. */
const LEAST_MS = 1;

let waiting: (() => void)[] = [];
let isScheduled = false;
/** The number of this turn. Turns in which it is not asked for are not counted. */
let turn = 0;
/** Until when the busy connections may work in this turn; undefined before the first one has asked. */
let deadline: number | undefined;

/**
 * Whether the caller, which has done much already, has to leave the rest for `later`. The first caller begins the turn.
 *
 * @param now what `performance.now()` gives.
 */
export function isTurnOver(now: number): boolean {
  if (deadline === undefined) {
    deadline = now + TURN_MS;
    schedule();
  }
  return now > deadline;
}

/** The number of this turn: another one means that other connections had theirs. It changes only when `isTurnOver` is called. */
export function currentTurn(): number {
  return turn;
}

/** Calls `task` in a later turn of the event loop, after all tasks that wait already. It must not throw. */
export function later(task: () => void): void {
  waiting.push(task);
  schedule();
}

function schedule(): void {
  if (isScheduled) return;
  isScheduled = true;
  setImmediate(beginTurn);
}

/** Those that wait share one turn; whom it does not reach are the first of the next one. */
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
  // Who has much to do and comes before the next turn shares what is left of this one, if others wait already: it is theirs too.
  deadline = waiting.length > 0 ? end : undefined;
  if (waiting.length > 0) schedule();
}
