import { EMPTY } from 'rxjs';
import { SendSubject, type SendTarget } from '../../../src/connection/send-subject.js';
import { targetOver } from '../../../src/operators/typed/send-target.js';

describe('a send before another one', () => {
  it('writes to its own place, and ends and paces as the one behind it', () => {
    const log: unknown[] = [];
    const behind: SendTarget<string> = {
      ready$: EMPTY,
      isReady: false,
      bufferedAmount: 7,
      trySend: () => 'sent',
      close: (...how) => log.push(how),
    };
    const send = new SendSubject<number>(
      targetOver(new SendSubject(behind), (value) => {
        log.push(value);
        return 'sent';
      }),
    );
    expect([send.isReady, send.bufferedAmount, send.ready$]).toEqual([false, 7, EMPTY]);
    send.next(1);
    send.complete();
    send.error(undefined);
    const error = { code: 4000, reason: 'why' };
    send.error(error);
    expect(log).toEqual([1, [1000, '', undefined], [1011, '', undefined], [4000, 'why', error]]);
  });
});
