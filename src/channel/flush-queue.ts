import type { Flushable } from './byte-port.js';

/**
 * The flush point of all sockets of this thread. Messages sent while a chunk is received leave when that chunk is done;
 * everything else leaves in one shared `process.nextTick`. Not `queueMicrotask`, because each `await` of a `for await` loop would
 * then cause a separate write.
 */
let first: Flushable | undefined;
/** Tasks after the first: usually none, because a receive loop belongs to one connection. */
let others: Flushable[] = [];
let receiving = 0;
let ticking = false;

/** Calls `task.flush()` once at the next flush point. The caller must not schedule the task again before then. */
export function scheduleFlush(task: Flushable): void {
  if (first === undefined) first = task;
  else others.push(task);
  if (receiving === 0 && !ticking) {
    ticking = true;
    process.nextTick(tick);
  }
}

/** Begins a receive loop: flushes wait until it ends. */
export function beginReceiving(): void {
  receiving++;
}

/** Ends a receive loop, and flushes if it was the outermost one. */
export function endReceiving(): void {
  receiving--;
  if (receiving === 0 && first !== undefined) flushAll();
}

/** Flushes all waiting tasks now, including those scheduled meanwhile. */
export function flushAll(): void {
  while (first !== undefined) {
    const task = first;
    const tasks = others;
    first = undefined;
    if (tasks.length > 0) others = [];
    task.flush();
    for (const other of tasks) other.flush();
  }
}

function tick(): void {
  ticking = false;
  flushAll();
}
