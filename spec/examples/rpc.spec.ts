import { firstValueFrom, forkJoin, map, NEVER, Observable, of, Subject, throwError } from 'rxjs';
import { type Connection, openConnection, serve, withCodec } from 'sluice';
import { type Caller, callerOf } from '../../examples/rpc/client.js';
import { clientCodec, MAX_CALLS, type Reply, type Request } from '../../examples/rpc/messages.js';
import { answerCalls, CallError, type Handlers } from '../../examples/rpc/server.js';
import { endAfterEach } from '../support/end-after-each.js';
import { Example } from '../support/example.js';
import { Loopback } from '../support/loopback.js';
import { guardProcess } from '../support/process-guard.js';
import { until } from '../support/until.js';

describe('calls', () => {
  guardProcess();
  const onEnd = endAfterEach();
  const loopback = new Loopback();
  afterAll(() => loopback.end());

  /** Handlers whose calls stay open until they are answered here. */
  class Desk implements Handlers {
    readonly open = new Map<number, Subject<number>>();
    readonly cancelled: number[] = [];
    most = 0;

    add = (params: unknown): Observable<number> =>
      new Observable((subscriber) => {
        const [key = 0] = params as number[];
        const answer$ = new Subject<number>();
        this.open.set(key, answer$);
        this.most = Math.max(this.most, this.open.size);
        subscriber.add(answer$.subscribe(subscriber));
        subscriber.add(() => {
          if (this.open.delete(key)) this.cancelled.push(key);
        });
      });

    wait = (): Observable<string> => of('waited');

    answer(key: number, value: number): void {
      const answer$ = this.open.get(key);
      this.open.delete(key);
      answer$?.next(value);
      answer$?.complete();
    }
  }

  interface Client {
    readonly conn: Connection<undefined, Reply, Request>;
    readonly call: Caller;
  }

  async function start(handlers: Handlers): Promise<Client> {
    const url = await loopback.serve(serve({ port: 0, host: '127.0.0.1' }), (server) => answerCalls(server, handlers));
    const raw = await openConnection(url);
    onEnd(() => raw.terminate());
    const conn = withCodec(clientCodec)(raw);
    return { conn, call: callerOf(conn) };
  }

  it('are answered in any order, each by its id', async () => {
    const desk = new Desk();
    const { call } = await start(desk);
    const both = firstValueFrom(forkJoin([call('add', [1]), call('add', [2])]));
    await until(() => desk.open.size === 2);
    desk.answer(2, 20);
    desk.answer(1, 10);
    expect(await both).toEqual([{ value: 10 }, { value: 20 }]);
    expect(desk.cancelled).toEqual([]);
  });

  it('that are unsubscribed are cancelled at the server, and others go on', async () => {
    const desk = new Desk();
    const { call } = await start(desk);
    const left = call('add', [1]).subscribe();
    const stays = firstValueFrom(call('add', [2]));
    await until(() => desk.open.size === 2);
    left.unsubscribe();
    await until(() => desk.cancelled.length === 1);
    desk.answer(2, 20);
    expect(await stays).toEqual({ value: 20 });
    expect(desk.cancelled).toEqual([1]);
  });

  it('that take too long are a value, and are cancelled', async () => {
    const desk = new Desk();
    const { call } = await start(desk);
    const { error } = await firstValueFrom(call('add', [1], { timeout: 1 }));
    expect(error).toMatchObject({ code: 'TIMEOUT' });
    // On a slow machine the call may come together with its cancellation; it comes, and is cancelled.
    await until(() => desk.cancelled.length === 1);
    expect(desk.open.size).toBe(0);
  });

  it('that fail are a value, which says no more than it should', async () => {
    const printed = jest.spyOn(console, 'error').mockImplementation(() => {});
    onEnd(() => printed.mockRestore());
    const add = (): Observable<number> => throwError(() => new CallError('BAD_PARAMS', 'expected numbers'));
    const wait = (): Observable<string> => throwError(() => new Error('password is wrong for 10.0.0.7'));
    const { call } = await start({ add, wait });
    expect(await firstValueFrom(call('add', []))).toEqual({
      error: { code: 'BAD_PARAMS', message: 'expected numbers' },
    });
    expect(await firstValueFrom(call('wait', { ms: 1 }))).toEqual({
      error: { code: 'FAILED', message: 'wait failed' },
    });
    expect(printed).toHaveBeenCalledTimes(1);
    for (const name of ['nothing', 'toString', '__proto__']) {
      expect(await firstValueFrom(call(name as 'add', []))).toEqual({
        error: { code: 'NO_SUCH_METHOD', message: `there is no ${name}` },
      });
    }
  });

  it('wait at the client when there are too many, so that a cancellation never waits at the server', async () => {
    const desk = new Desk();
    const { call } = await start(desk);
    const keys = Array.from({ length: 3 * MAX_CALLS }, (_, key) => key);
    const calls = keys.map((key) => call('add', [key]).subscribe());
    await until(() => desk.open.size === MAX_CALLS);
    calls[3]?.unsubscribe();
    await until(() => desk.open.has(MAX_CALLS));
    expect(desk.cancelled).toEqual([3]);
    const rest = keys.filter((key) => key !== 3);
    for (const key of rest) {
      await until(() => desk.open.has(key));
      desk.answer(key, key);
    }
    expect({ most: desk.most, cancelled: desk.cancelled }).toEqual({ most: MAX_CALLS, cancelled: [3] });
  });

  it('of a client that keeps to no limit wait in its connection', async () => {
    const desk = new Desk();
    const { conn } = await start(desk);
    for (let id = 1; id <= 100; id++) conn.send.next({ type: 'call', id, method: 'add', params: [id] });
    // The pong is behind all of them.
    await firstValueFrom(conn.ping());
    expect(desk.open.size).toBe(MAX_CALLS + 1);
    const answers: number[] = [];
    conn.messages$.subscribe(({ id }) => answers.push(id));
    for (let id = 1; id <= 100; id++) {
      await until(() => desk.open.has(id));
      desk.answer(id, id);
    }
    await until(() => answers.length === 100);
    expect({ last: answers.at(-1), most: desk.most }).toEqual({ last: 100, most: MAX_CALLS + 1 });
  });

  it('of a client that is lost are cancelled, and print nothing', async () => {
    const printed = jest.spyOn(console, 'error').mockImplementation(() => {});
    onEnd(() => printed.mockRestore());
    const desk = new Desk();
    const { conn, call } = await start(desk);
    const lost = firstValueFrom(call('add', [1]));
    await until(() => desk.open.size === 1);
    conn.terminate();
    expect((await lost).error).toMatchObject({ code: 'LOST' });
    await until(() => desk.cancelled.length === 1);
    expect((await firstValueFrom(call('add', [2]))).error).toMatchObject({ code: 'LOST' });
    expect(printed).not.toHaveBeenCalled();
  });

  it('that are no calls close with 1007', async () => {
    const { conn } = await start({ add: () => NEVER, wait: () => NEVER });
    conn.send.next({ type: 'call' } as never);
    const code$ = conn.close$.pipe(map(({ code }) => code));
    expect(await firstValueFrom(code$)).toBe(1007);
  });
});

describe('the rpc example', () => {
  const onEnd = endAfterEach();

  function run(args: string[], env: Record<string, string> = {}): Example {
    const example = new Example('rpc/main', { args, env });
    onEnd(() => example.kill());
    return example;
  }

  it('prints values and failures, and the server says what was cancelled', async () => {
    const server = run(['serve']);
    const env = { URL: await server.url() };
    const added = run(['call', 'add', '[1, 2, 3]'], env);
    const waited = run(['call', 'wait', '{ "ms": 1 }'], env);
    const late = run(['call', 'wait', '{ "ms": 600000 }', '1'], env);
    const wrong = run(['call', 'add', '["1"]'], env);
    const codes = {
      added: await added.ended(),
      waited: await waited.ended(),
      late: await late.ended(),
      wrong: await wrong.ended(),
    };
    expect(codes).toEqual({ added: 0, waited: 0, late: 1, wrong: 1 });
    expect({ added: added.lines, waited: waited.lines, wrong: wrong.lines }).toEqual({
      added: ['6'],
      waited: ['waited for 1 ms'],
      wrong: ['BAD_PARAMS: expected numbers'],
    });
    expect(late.lines.join()).toMatch(/^TIMEOUT: no answer came within 1 ms/);
    await server.line(/^wait for 600000 ms: cancelled$/);
    const killed = run(['call', 'wait', '{ "ms": 700000 }'], env);
    await killed.kill();
    const errors = [server, added, waited, late, wrong].map((each) => each.errors).join('');
    expect({ errors, cancelled: server.lines.filter((line) => line.startsWith('wait for 1 ms')) }).toEqual({
      errors: '',
      cancelled: [],
    });
  });
});
