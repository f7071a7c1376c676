import { expectTypeOf } from 'expect-type';
import { firstValueFrom, mergeMap, type Observable, of, range, Subject, take, toArray } from 'rxjs';
import { type Connection, type Message, message, type Outgoing, sendTo, serve } from 'sluice';
import { Loopback } from '../support/loopback.js';
import { marbles } from '../support/marbles.js';
import { guardProcess } from '../support/process-guard.js';

/** A connection of which only `send` is used. */
function sink<Out = Outgoing>(next: (value: Out) => void): Connection<unknown, unknown, Out> {
  const fail = (): never => {
    throw new Error('closes the connection');
  };
  return { send: { next, error: fail, complete: fail }, close: fail, terminate: fail } as never;
}

describe('sendTo', () => {
  it('sends each value and passes it on, and completes with the source without closing', () =>
    marbles(({ cold, expectObservable, expectSubscriptions, flush }) => {
      const sent: unknown[] = [];
      const source$ = cold(' -a-b-|');
      const expected = '     -a-b-|';
      expectObservable(source$.pipe(sendTo(sink((value) => sent.push(value))))).toBe(expected);
      expectSubscriptions(source$.subscriptions).toBe('^----!');
      flush();
      expect(sent).toEqual(['a', 'b']);
    }));

  it('errors with the source without closing', () =>
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold('-a-#').pipe(sendTo(sink(() => {})))).toBe('-a-#');
    }));

  it('unsubscribes from the source without closing', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold('-a-b-');
      expectObservable(source$.pipe(sendTo(sink(() => {}))), '--!').toBe('-a-');
      expectSubscriptions(source$.subscriptions).toBe('^-!');
    }));

  it('errors, and leaves the source, when a send of somebody else throws', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold('-a-b-');
      const broken = sink(() => {
        throw new Error('broken');
      });
      expectObservable(source$.pipe(sendTo(broken))).toBe('-#', undefined, new Error('broken'));
      expectSubscriptions(source$.subscriptions).toBe('^!');
    }));

  it('sends before it passes on', () => {
    const log: string[] = [];
    of('a', 'b')
      .pipe(sendTo(sink((value) => log.push(`sent ${value}`))))
      .subscribe((value) => log.push(`passed ${value}`));
    expect(log).toEqual(['sent a', 'passed a', 'sent b', 'passed b']);
  });

  it('takes many values of a synchronous source, and no more than are wanted', () => {
    let sent = 0;
    const counting = sink<number>(() => sent++);
    range(0, 200_000).pipe(sendTo(counting)).subscribe();
    expect(sent).toBe(200_000);
    range(0, 200_000).pipe(sendTo(counting), take(2)).subscribe();
    expect(sent).toBe(200_002);
  });

  it('keeps the type of the values, and takes only what the connection sends', () => {
    const plain = sink(() => {});
    const numbers = sink<number>(() => {});
    expectTypeOf(of('a').pipe(sendTo(plain))).toEqualTypeOf<Observable<string>>();
    expectTypeOf(of(Buffer.alloc(1)).pipe(sendTo(plain))).toEqualTypeOf<Observable<Buffer<ArrayBuffer>>>();
    expectTypeOf(of(message('a')).pipe(sendTo(plain))).toExtend<Observable<Outgoing>>();
    expectTypeOf(of(1).pipe(sendTo(numbers))).toEqualTypeOf<Observable<number>>();
    // @ts-expect-error: an object is nothing that a plain connection sends.
    of({ a: 1 }).pipe(sendTo(plain));
    // @ts-expect-error: a stream that was not flattened is not either.
    of(of('a')).pipe(sendTo(plain));
    // @ts-expect-error: this one sends numbers.
    of('a').pipe(sendTo(numbers));
  });
});

describe('sendTo on a connection', () => {
  guardProcess();
  const loopback = new Loopback();
  afterAll(() => loopback.end());

  it('makes an echo of messages$, text and binary, that stays open when the stream ends', async () => {
    const echoed$ = new Subject<Message>();
    const url = await loopback.serve(serve({ port: 0, host: '127.0.0.1' }), (server) =>
      server.pipe(mergeMap((conn) => conn.messages$.pipe(take(2), sendTo(conn)))),
    );
    const client = await loopback.connect(url);
    client.messages$.subscribe(echoed$);
    const echoed = firstValueFrom(echoed$.pipe(take(2), toArray()));
    client.send.next('text');
    client.send.next(Buffer.from([1, 2, 3]));
    expect(await echoed).toEqual(['text', Buffer.from([1, 2, 3])]);
    await firstValueFrom(client.ping());
    expect(client.readyState).toBe(1);
  });

  it('is quiet on a connection that is closed', async () => {
    const url = await loopback.serve(serve({ port: 0, host: '127.0.0.1' }), (server) => server);
    const client = await loopback.connect(url);
    client.close();
    await firstValueFrom(client.close$);
    expect(await firstValueFrom(of('late').pipe(sendTo(client)))).toBe('late');
  });
});
