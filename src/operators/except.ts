import type { Connection } from '../reactive/connection.js';

/** Whom a message is not for: a connection, or a set of them. */
// biome-ignore lint/suspicious/noExplicitAny: send is a Subject, and so invariant in its type
export type Except = Connection<any, any, any> | ReadonlySet<Connection<any, any, any>>;

/** Tells whether a connection is none of `except`; nothing when that excepts nobody. */
export function isNotIn(
  except: Except | undefined,
): ((conn: Exclude<Except, ReadonlySet<unknown>>) => boolean) | undefined {
  if (except === undefined) return undefined;
  return 'has' in except ? (conn) => !except.has(conn) : (conn) => conn !== except;
}
