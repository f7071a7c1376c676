import type { Flushable } from './byte-port.js';

/**
 * The flush point of all sockets of this thread. What is sent while a chunk is received leaves when that chunk is done;
 * everything else leaves in one shared `process.nextTick`. Not `queueMicrotask`: each `await` of a `for await` loop would then
 * be a write of its own.
 */
let first: Flushable | undefined;
/** What waits after the first: most often nothing, since a receive loop belongs to one connection. */
let others: Flushable[] = [];
let receiving = 0;
let ticking = false;

/** Calls `task.flush()` once at the next flush point. The caller schedules a task only once until then. */
export function scheduleFlush(task: Flushable): void {
  if (first === undefined) first = task;
  else others.push(task);
  if (receiving === 0 && !ticking) {
    ticking = true;
    process.nextTick(tick);
  }
}

/** Begins a receive loop: flushes wait for its end. */
export function beginReceiving(): void {
  receiving++;
}

/** Ends a receive loop, and flushes when it was the outermost one. */
export function endReceiving(): void {
  receiving--;
  if (receiving === 0 && first !== undefined) flushAll();
}

/** Flushes what waits, now. Whatever is scheduled meanwhile is flushed too. */
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
