import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { expectTypeOf } from 'expect-type';
import { fromEvent, lastValueFrom, type Observable, of, Subject, take } from 'rxjs';
import { accept, type Connection, type Message, reject } from 'sluice';
import { endAfterEach } from '../support/end-after-each.js';
import { text, wire } from '../support/frames.js';
import { guardProcess } from '../support/process-guard.js';
import type { RawClient } from '../support/raw-client.js';
import { httpServer, portOf, rawPeers } from '../support/raw-peers.js';
import { echo } from '../support/running-server.js';

guardProcess();
const atEnd = endAfterEach();
const { ask } = rawPeers(atEnd);

type Upgrade = [IncomingMessage, Duplex, Buffer];

/** An http server of the user, and its 'upgrade' events. */
async function upgrades(): Promise<{ port: number; upgrades$: Observable<unknown>; listenerCount: () => number }> {
  const http = await httpServer(atEnd);
  return {
    port: portOf(http.address()),
    upgrades$: fromEvent(http, 'upgrade'),
    listenerCount: () => http.listenerCount('upgrade'),
  };
}

async function expectEcho(raw: RawClient, payload: string): Promise<void> {
  raw.write(wire('server', [text(payload)]));
  expect((await raw.frame()).payload.toString()).toBe(payload);
}

describe('accept', () => {
  it("makes connections of the 'upgrade' events of any http server, on any path", async () => {
    const { port, upgrades$, listenerCount } = await upgrades();
    const subscription = upgrades$.pipe(accept()).subscribe(echo);
    const raw = await ask(port);
    expect((await raw.response()).status).toBe(101);
    await expectEcho(raw, 'hi');
    subscription.unsubscribe();
    expect((await raw.frame()).payload.readUInt16BE()).toBe(1001);
    expect(listenerCount()).toBe(0);
  });

  it('answers a failed handshake, and emits nothing for it', async () => {
    const { port, upgrades$ } = await upgrades();
    const connections: Connection<unknown>[] = [];
    const subscription = upgrades$
      .pipe(accept({ verifyClient: ({ request }) => request.url !== '/' || reject(418) }))
      .subscribe((connection) => connections.push(connection));
    expect((await (await ask(port)).response()).status).toBe(418);
    expect(connections).toEqual([]);
    subscription.unsubscribe();
  });

  it('completes when its source has and the last hook has decided, leaving the connections open', async () => {
    const { port, upgrades$ } = await upgrades();
    const answer = new Subject<boolean>();
    const events: unknown[] = [];
    const connections: Connection<unknown>[] = [];
    upgrades$.pipe(take(1), accept({ verifyClient: () => answer })).subscribe({
      next: (connection) => {
        events.push('next');
        connections.push(connection);
        echo(connection);
      },
      complete: () => events.push('complete'),
    });
    const raw = await ask(port);
    while (!answer.observed) await new Promise((resolve) => setImmediate(resolve));
    expect(events).toEqual([]);
    answer.next(true);
    expect(events).toEqual(['next', 'complete']);
    expect((await raw.response()).status).toBe(101);
    await expectEcho(raw, 'still open');
    connections[0]!.terminate();
  });

  it.each([[undefined], [[]], [['GET', {}, '']], [{ request: {} }]])('errors when its source gives %p', (value) => {
    const errors: unknown[] = [];
    of(value)
      .pipe(accept())
      .subscribe({ error: (error) => errors.push(error) });
    expect(errors).toEqual([expect.any(TypeError)]);
    expect(String(errors[0])).toContain('[request, socket, head]');
  });

  it('errors with its source', async () => {
    const source = new Subject<Upgrade>();
    const failed = lastValueFrom(source.pipe(accept()));
    source.error(new Error('source'));
    await expect(failed).rejects.toThrow('source');
  });

  it('refuses those that are not decided with 503 when it is unsubscribed', async () => {
    const { port, upgrades$ } = await upgrades();
    const never = new Subject<boolean>();
    const subscription = upgrades$.pipe(accept({ verifyClient: () => never })).subscribe();
    const raw = await ask(port);
    while (!never.observed) await new Promise((resolve) => setImmediate(resolve));
    subscription.unsubscribe();
    expect([(await raw.response()).status, never.observed]).toEqual([503, false]);
  });

  it('closes the connections of each subscription on its own', async () => {
    const { port, upgrades$ } = await upgrades();
    const sockets = new Subject<unknown>();
    const forward = upgrades$.subscribe(sockets);
    const connections$ = sockets.pipe(accept());
    const first = connections$.pipe(take(1)).subscribe(echo);
    const raw = await ask(port);
    expect((await raw.response()).status).toBe(101);
    expect((await raw.frame()).payload.readUInt16BE()).toBe(1001);
    expect(first.closed).toBe(true);
    forward.unsubscribe();
  });

  it('types data and messages as serve does', () => {
    const typed = accept({ authenticate: async () => ({ id: 1 }), binaryType: 'arraybuffer' });
    expectTypeOf(typed).returns.toEqualTypeOf<Observable<Connection<{ id: number }, string | ArrayBuffer>>>();
    expectTypeOf(accept()).returns.toEqualTypeOf<Observable<Connection<undefined, Message>>>();
  });
});
