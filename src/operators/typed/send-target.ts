import type { SendSubject, SendTarget } from '../../connection/send-subject.js';

/** What a `send` before another one writes to: values go to `trySend`, all else to the `send` behind it. */
export function targetOver<Behind, Out>(
  behind: SendSubject<Behind>,
  trySend: SendTarget<Out>['trySend'],
): SendTarget<Out> {
  return {
    ready$: behind.ready$,
    get isReady() {
      return behind.isReady;
    },
    get isSlow() {
      return behind.isSlow;
    },
    get bufferedAmount() {
      return behind.bufferedAmount;
    },
    trySend,
    close: (code, _reason, error) => {
      if (code === 1000 && error === undefined) behind.complete();
      else behind.error(error);
    },
  };
}
