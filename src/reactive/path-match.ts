import type { IncomingMessage } from '../transport/incoming-message.js';
import type { PathOption } from './server-options.js';

/** What comes before the path in the absolute form of a request, which proxies may use. RFC 6455 §4.2.1 (1). */
const ORIGIN = /^https?:\/\/[^/?]*/i;

/** Whether the path of `request`, as it stands in the URL without the query, is one that `path` takes. */
export function matchesPath(path: PathOption | undefined, request: IncomingMessage): boolean {
  if (path === undefined) return true;
  const [found = ''] = (request.url ?? '').replace(ORIGIN, '').split('?', 1);
  if (typeof path === 'string') return found === path;
  if (typeof path === 'function') return path(found, request);
  path.lastIndex = 0;
  return path.test(found);
}
