import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Kills a child process; resolves when it is gone, at once where it is already. */
export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}
