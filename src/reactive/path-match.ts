import type { IncomingMessage } from '../transport/incoming-message.js';
import type { PathOption } from './server-options.js';

/** Whether the path of `request`, as it stands in the URL without the query, is one that `path` takes. */
export function matchesPath(path: PathOption | undefined, request: IncomingMessage): boolean {
  if (path === undefined) return true;
  const { url = '' } = request;
  const query = url.indexOf('?');
  const found = query < 0 ? url : url.slice(0, query);
  if (typeof path === 'string') return found === path;
  if (typeof path === 'function') return path(found, request);
  path.lastIndex = 0;
  return path.test(found);
}
