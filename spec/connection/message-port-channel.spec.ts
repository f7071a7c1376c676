/** A live connection over a channel that knows nothing of frames keeps the promises of `Connection`. */
import { firstValueFrom, lastValueFrom, map, take, toArray } from 'rxjs';
import { ask, type CloseInfo, demandMap, sendTo, withCodec } from 'sluice';
import { MARK, type PortedConnection, portedPair } from './message-port-channel.js';

let ends: PortedConnection[] = [];
afterEach(() => {
  for (const end of ends) end.terminate();
});

function pair(): [PortedConnection, PortedConnection] {
  const [near, far] = portedPair();
  ends = [near, far];
  return [near, far];
}

/** All that was posted has come, both ways. */
async function settled(near: PortedConnection, far: PortedConnection): Promise<void> {
  await lastValueFrom(near.ping());
  await lastValueFrom(far.ping());
}

/** What `conn` tells, as it comes. */
function logged(conn: PortedConnection): string[] {
  const log: string[] = [];
  const complete = (name: string) => ({ complete: () => log.push(`${name} complete (state ${conn.readyState})`) });
  conn.close$.subscribe({ next: ({ code }) => log.push(`close$ ${code}`), ...complete('close$') });
  conn.onFinished({ finished: () => log.push('finished') });
  conn.pings$.subscribe(complete('pings$'));
  conn.pongs$.subscribe(complete('pongs$'));
  conn.messages$.subscribe({ next: (message) => log.push(`message ${message}`), ...complete('messages$') });
  conn.send.subscribe(complete('send'));
  conn.send.ready$.subscribe(complete('ready$'));
  return log;
}

describe('a live connection over a MessagePort', () => {
  it('carries messages both ways, in order, to all subscribers', async () => {
    const [near, far] = pair();
    far.messages$.pipe(map((message) => message.toUpperCase())).subscribe(far.send);
    const [first, second] = [near.messages$, near.messages$].map((each$) =>
      firstValueFrom(each$.pipe(take(3), toArray())),
    );
    for (const message of ['a', 'b', 'c']) near.send.next(message);
    expect({ first: await first, second: await second }).toEqual({ first: ['A', 'B', 'C'], second: ['A', 'B', 'C'] });
  });

  it('keeps up to the mark while nobody wants messages, and tells the sender to rest', async () => {
    const [near, far] = pair();
    const ready: boolean[] = [];
    near.send.ready$.subscribe((isReady) => ready.push(isReady));
    for (let sent = 0; sent < 20; sent++) near.trySend('x'.repeat(72));
    await settled(near, far);
    const { bufferedAmount } = near;
    expect({ ready, inboxBytes: far.stats.inboxBytes }).toEqual({
      ready: [true, false],
      inboxBytes: 2 * 200 + 18 * 72,
    });
    expect(bufferedAmount).toBeGreaterThan(MARK);
    const received = firstValueFrom(far.messages$.pipe(take(20), toArray()));
    await firstValueFrom(near.flush());
    expect({ ready, received: (await received).length }).toEqual({ ready: [true, false, true], received: 20 });
  });

  it('delivers nothing while it is held, and everything after that', async () => {
    const [near, far] = pair();
    const seen: string[] = [];
    const hold = far.hold();
    far.messages$.subscribe((message) => seen.push(message));
    near.trySend('a');
    near.trySend('b');
    await settled(near, far);
    expect(seen).toEqual([]);
    hold.unsubscribe();
    expect(seen).toEqual(['a', 'b']);
  });

  it('ends in the order of every connection', async () => {
    const [near, far] = pair();
    const log = logged(far);
    near.trySend('last');
    near.close(3000, 'bye');
    await lastValueFrom(near.close$);
    await lastValueFrom(far.close$);
    expect(log).toEqual([
      'message last',
      'ready$ complete (state 3)',
      'send complete (state 3)',
      'messages$ complete (state 3)',
      'pings$ complete (state 3)',
      'pongs$ complete (state 3)',
      'close$ 3000',
      'close$ complete (state 3)',
      'finished',
    ]);
  });

  it('says the same of its end on both sides', async () => {
    const [near, far] = pair();
    near.close(3000, 'bye');
    expect(near.readyState).toBe(2);
    const said = { code: 3000, reason: 'bye', wasClean: true };
    const infos: CloseInfo[] = [await lastValueFrom(near.close$), await lastValueFrom(far.close$)];
    expect(infos).toEqual([
      { ...said, initiator: 'local' },
      { ...said, initiator: 'peer' },
    ]);
    expect({ late: near.trySend('late'), far: far.trySend('late') }).toEqual({ late: 'closed', far: 'closed' });
  });

  it('reads on while it closes, whatever the demand', async () => {
    const [near, far] = pair();
    for (let sent = 0; sent < 20; sent++) far.trySend('x'.repeat(72));
    await settled(near, far);
    near.close();
    await lastValueFrom(near.close$);
    await lastValueFrom(far.close$);
    expect(near.readyState).toBe(3);
  });

  it('has its last word when a hold is released, and not before', async () => {
    const [near, far] = pair();
    const log = logged(far);
    const hold = far.hold();
    near.trySend('kept');
    near.close();
    await lastValueFrom(far.close$);
    expect(log.filter((line) => /^(message|close\$ 1|fin)/.test(line))).toEqual(['close$ 1000']);
    hold.unsubscribe();
    expect(log.slice(-3)).toEqual(['message kept', 'messages$ complete (state 3)', 'finished']);
  });

  it('closes with 1011 for a value that cannot be sent', async () => {
    const [near, far] = pair();
    near.send.next(7 as never);
    expect(await lastValueFrom(near.close$)).toMatchObject({ code: 1011, error: { code: 'UNSUPPORTED_DATA' } });
    expect(await lastValueFrom(far.close$)).toMatchObject({ code: 1011, initiator: 'peer' });
  });

  it('is lost to both when one end terminates', async () => {
    const [near, far] = pair();
    const trip = lastValueFrom(far.ping());
    near.terminate();
    expect(await lastValueFrom(near.close$)).toMatchObject({ code: 1006, initiator: 'local' });
    expect(await lastValueFrom(far.close$)).toMatchObject({ code: 1006, initiator: 'peer' });
    await expect(trip).rejects.toMatchObject({ name: 'ConnectionClosedError' });
  });

  it('is iterated, sent to and composed as any other', async () => {
    const [near, far] = pair();
    far.messages$
      .pipe(demandMap(async (message) => `echo ${message}`))
      .pipe(sendTo(far))
      .subscribe();
    const answer$ = ask(near, 'question', { match: (message) => message === 'echo question' });
    expect(await lastValueFrom(answer$)).toBe('echo question');
    expect(await lastValueFrom(near.sendFrom(['a', 'b', 'c']))).toBe(3);
    const seen: string[] = [];
    for await (const message of near) if (seen.push(message) === 3) break;
    expect(seen).toEqual(['echo a', 'echo b', 'echo c']);
    const typed = withCodec<number, number>({ encode: String, decode: (message) => String(message).length })(
      near as never,
    );
    typed.send.next(12);
    expect(await firstValueFrom(typed.messages$)).toBe('echo 12'.length);
  });
});
