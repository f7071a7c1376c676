/** How many messages of all connections together are compressed in the thread pool at a time: files and DNS need it too. */
const AT_A_TIME = 2;

type Task = (done: () => void) => void;

const waiting = new Set<Task>();
let running = 0;
let isStarting = false;

/**
 * Runs `task` when it is its turn, first come, first served. A connection has one message at a time here, so that none of them
 * takes the place of the others. The task calls `done` once, when the next one may begin.
 *
 * @returns how to leave the queue. No effect once the task has begun.
 */
export function takeDeflateTurn(task: Task): () => void {
  const own: Task = (done) => task(done);
  waiting.add(own);
  startNext();
  return () => waiting.delete(own);
}

/** A task may be done when it returns: the loop that runs goes on with the next one then. */
function startNext(): void {
  if (isStarting) return;
  isStarting = true;
  for (const task of waiting) {
    if (running === AT_A_TIME) break;
    waiting.delete(task);
    running++;
    task(() => {
      running--;
      startNext();
    });
  }
  isStarting = false;
}
