/** A build of another commit, beside that of this checkout. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** A package in a temporary folder, removed when this process exits. */
export interface OtherBuild {
  /** The commit, in full. */
  readonly commit: string;
  /** The root of the package, with its `dist`, and the servers and clients of this checkout. */
  readonly root: string;
}

/** What runs under the load. It is the same for both builds: only the package that it imports differs. */
const programs = ['spec/bench/servers', 'spec/bench/clients'];

/**
 * Checks out what `ref` names, and builds it with the `node_modules` of this checkout.
 *
 * @throws Error when there is no such commit, or when it cannot be built.
 */
export function buildOther(ref: string): OtherBuild {
  const commit = commitOf(ref);
  const root = mkdtempSync(join(tmpdir(), 'sluice-before-'));
  process.once('exit', () => rmSync(root, { recursive: true }));
  checkOut(commit, root);
  symlinkSync(resolve('node_modules'), join(root, 'node_modules'));
  for (const folder of programs) {
    rmSync(join(root, folder), { recursive: true, force: true });
    cpSync(folder, join(root, folder), { recursive: true });
  }
  execFileSync('npm', ['run', 'build'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  return { commit, root };
}

function commitOf(ref: string): string {
  try {
    return git(['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`]).trim();
  } catch (error) {
    throw new Error(`--before is "${ref}", which names no commit`, { cause: error });
  }
}

/** With an index of its own, so that this checkout's stays as it is, and no list of worktrees outlives a run that is killed. */
function checkOut(commit: string, root: string): void {
  const env = { ...process.env, GIT_INDEX_FILE: join(root, '.index') };
  git(['read-tree', commit], env);
  git(['checkout-index', '--all', `--prefix=${root}/`], env);
}

function git(args: readonly string[], env: NodeJS.ProcessEnv = process.env): string {
  return execFileSync('git', args, { encoding: 'utf8', env });
}
