import { isObservable, map } from 'rxjs';
import type { SendSource } from '../../connection/connection.js';

/** `source` with each of its values projected when its turn comes: what is pulled is still pulled. */
export function mapSource<T, R>(source: SendSource<T>, project: (value: T) => R): SendSource<R> {
  if (isObservable(source)) return source.pipe(map((value) => project(value)));
  if (Symbol.asyncIterator in source) {
    return {
      async *[Symbol.asyncIterator]() {
        for await (const value of source) yield project(value);
      },
    };
  }
  if (Symbol.iterator in source) {
    return {
      *[Symbol.iterator]() {
        for (const value of source) yield project(value);
      },
    };
  }
  return source.then((value) => project(value));
}
