import type { IncomingMessage } from '../connection/incoming-message.js';
import type { PathOption } from './server-options.js';

/** What comes before the path in the absolute form of a request, which proxies may use. RFC 6455 §4.2.1 (1). */
const ORIGIN = /^https?:\/\/[^/?]*/i;

/**
 * Whether the path in `url`, as it stands there without the query, is one that `path` takes.
 *
 * @param request asked for only to show it to a predicate.
 * @returns what a predicate returned, whatever that is.
 */
export function matchesPath(path: PathOption | undefined, url: string, request: () => IncomingMessage): unknown {
  if (path === undefined) return true;
  const [found = ''] = url.replace(ORIGIN, '').split('?', 1);
  if (typeof path === 'string') return found === path;
  if (typeof path === 'function') return path(found, request());
  path.lastIndex = 0;
  return path.test(found);
}
