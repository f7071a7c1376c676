import type { Target } from './target.js';

/** Whom a message is not for: a connection (the one that it came from), or a set of them. */
export type Except = Target<never> | ReadonlySet<Target<never>>;

/** Tells whether a connection is none of `except`; nothing when that excepts nobody. */
export function isNotIn(except: Except | undefined): ((conn: Target<never>) => boolean) | undefined {
  if (except === undefined) return undefined;
  return 'has' in except ? (conn) => !except.has(conn) : (conn) => conn !== except;
}
