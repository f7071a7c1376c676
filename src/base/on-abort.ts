/** The tasks to call when a signal aborts, and the one listener that calls them. */
interface Watch {
  readonly tasks: Set<() => void>;
  readonly listener: () => void;
}

/** Node warns of a leak when a signal has more than ten listeners, and one signal may end any number of connections. */
const watches = new WeakMap<AbortSignal, Watch>();

/**
 * Calls `task` once when `signal`, which must not have aborted yet, aborts. Tasks are called in the order in which they were added, and all
 * tasks of one signal share one listener.
 *
 * @returns a function that removes the task. Removing the last task also removes the listener from the signal.
 */
export function onAbort(signal: AbortSignal, task: () => void): () => void {
  const watch = watches.get(signal) ?? watchOf(signal);
  const { tasks, listener } = watch;
  // The same function may be passed twice.
  const entry = (): void => task();
  tasks.add(entry);
  return () => {
    if (!tasks.delete(entry) || tasks.size > 0 || watches.get(signal) !== watch) return;
    watches.delete(signal);
    signal.removeEventListener('abort', listener);
  };
}

function watchOf(signal: AbortSignal): Watch {
  const tasks = new Set<() => void>();
  const listener = (): void => {
    watches.delete(signal);
    for (const task of tasks) {
      tasks.delete(task);
      task();
    }
  };
  const watch = { tasks, listener };
  watches.set(signal, watch);
  signal.addEventListener('abort', listener, { once: true });
  return watch;
}
