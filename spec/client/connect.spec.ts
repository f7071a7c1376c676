import { getEventListeners } from 'node:events';
import {
  delay,
  firstValueFrom,
  map,
  NEVER,
  type Observable,
  of,
  retry,
  Subject,
  throwError,
  timer,
  VirtualTimeScheduler,
} from 'rxjs';
import { type Connection, type ConnectTarget, connect, openConnection, type PlainTarget } from 'sluice';
import { deferred, recordDial } from '../support/dial-record.js';
import { binary, close, ping, text } from '../support/frames.js';
import { guardProcess } from '../support/process-guard.js';
import { closeRawServers, type RawPeer, rawServer } from '../support/raw-server.js';

guardProcess();
afterEach(closeRawServers);

describe('dialing', () => {
  it('does nothing before it is subscribed to, and dials for each subscription', async () => {
    const server = await rawServer(async (peer) => void (await peer.accept()));
    const connection$ = connect(server.url);
    expect(server.peers).toHaveLength(0);
    const first = recordDial(connection$);
    const second = recordDial(connection$);
    const [one, other] = await Promise.all([first.opened, second.opened]);
    expect(one).not.toBe(other);
    expect(server.peers).toHaveLength(2);
    first.subscription.unsubscribe();
    second.subscription.unsubscribe();
  });

  it('emits one open connection and stays subscribed', async () => {
    const server = await rawServer(async (peer) => void (await peer.accept()));
    const dial = recordDial(connect(`${server.url}/path?query`));
    const connection = await dial.opened;
    expect(connection.readyState).toBe(1);
    expect(connection.url).toBe(`${server.url}/path?query`);
    expect(connection.protocol).toBe('');
    expect(connection.protocolVersion).toBe(13);
    expect(connection.extensions).toEqual({});
    expect(connection.data).toBeUndefined();
    expect(connection.request).toBeUndefined();
    expect(connection.response?.statusCode).toBe(101);
    expect(connection.remoteAddress).toBe('127.0.0.1');
    expect(dial.log).toEqual(['open']);
    dial.subscription.unsubscribe();
  });

  it('delivers frames of the same segment as the 101, in order, after it is open', async () => {
    const server = await rawServer(async (peer) => {
      await peer.accept({}, text('one'), ping('p'), binary('two'), close(1000));
      peer.socket.end();
    });
    const dial = recordDial(connect(server.url));
    expect(await dial.ending).toEqual({ kind: 'completed' });
    expect(dial.messages).toEqual(['one', Buffer.from('two')]);
    expect(dial.log).toEqual(['open', 'message', 'message', 'messages complete', 'close', 'complete']);
  });

  it('shares the first message among all who subscribe while it is emitted', async () => {
    const server = await rawServer(async (peer) => {
      await peer.accept({}, text('first'), close(1000));
      peer.socket.end();
    });
    const seen: string[] = [];
    const done = deferred();
    connect(server.url).subscribe({
      next: (connection) => {
        connection.messages$.subscribe((message) => seen.push(`a ${message.toString()}`));
        connection.messages$.subscribe((message) => seen.push(`b ${message.toString()}`));
      },
      complete: done.resolve,
    });
    await done.promise;
    expect(seen).toEqual(['a first', 'b first']);
  });

  it('keeps messages for a subscriber that comes later', async () => {
    const server = await rawServer(async (peer) => void (await peer.accept({}, text('kept'))));
    const opened = deferred<Connection>();
    const subscription = connect(server.url).subscribe(opened.resolve);
    const connection = await opened.promise;
    const message = deferred<unknown>();
    setImmediate(() => connection.messages$.subscribe(message.resolve));
    expect(await message.promise).toBe('kept');
    subscription.unsubscribe();
  });
});

describe('unsubscribing', () => {
  it('closes with 1000, once, and tells nobody but close$', async () => {
    const frames: number[] = [];
    const server = await rawServer(async (peer) => {
      await peer.accept();
      const { opcode, payload } = await peer.frame();
      frames.push(opcode, payload.readUInt16BE(0));
      peer.send(close(1000));
      peer.socket.end();
      await peer.ended;
      expect(peer.received).toHaveLength(0);
    });
    const dial = recordDial(connect(server.url));
    await dial.opened;
    dial.subscription.unsubscribe();
    dial.subscription.unsubscribe();
    await server.peers[0]?.ended;
    expect(frames).toEqual([0x8, 1000]);
    expect(dial.log).toEqual(['open', 'messages complete', 'close']);
    expect(dial.closeInfos).toEqual([{ code: 1000, reason: '', wasClean: true, initiator: 'local' }]);
  });

  it('is safe while the connection is emitted', async () => {
    const server = await rawServer(async (peer) => {
      await peer.accept({}, text('unwanted'));
      expect(await peer.closeCode()).toBe(1000);
      peer.send(close(1000));
      peer.socket.end();
    });
    const closed = deferred<unknown>();
    const subscription = connect(server.url).subscribe((connection) => {
      connection.close$.subscribe(closed.resolve);
      subscription.unsubscribe();
    });
    expect(await closed.promise).toMatchObject({ code: 1000, wasClean: true });
  });

  it('sends nothing more when the connection is over already', async () => {
    const server = await rawServer(async (peer) => {
      await peer.accept({}, close(1000));
      await peer.closeCode();
      peer.socket.end();
      await peer.ended;
      expect(peer.received).toHaveLength(0);
    });
    const dial = recordDial(connect(server.url));
    await dial.ending;
    dial.subscription.unsubscribe();
    await server.peers[0]?.ended;
  });
});

describe('the signal', () => {
  it('completes without a dial when it is aborted already', async () => {
    const server = await rawServer(() => {});
    const dial = recordDial(connect(server.url, { signal: AbortSignal.abort() }));
    expect(dial.log).toEqual(['complete']);
    expect(server.peers).toHaveLength(0);
  });

  it('of the target completes without a dial when it is aborted already', () => {
    const lookup = jest.fn();
    const target = { url: 'ws://some.example', signal: AbortSignal.abort() };
    expect(recordDial(connect(target, { lookup })).log).toEqual(['complete']);
    expect(recordDial(connect(() => target, { lookup })).log).toEqual(['complete']);
    expect(lookup).not.toHaveBeenCalled();
  });

  it('is let go of with the end, whatever it is', async () => {
    const server = await rawServer(async (peer, index) => {
      if (index === 1) await peer.accept({}, close(1000));
      peer.socket.end();
    });
    const { signal } = withAbort();
    await recordDial(connect(server.url, { signal })).failure;
    await recordDial(connect(() => ({ url: server.url, signal }))).ending;
    recordDial(connect(server.url, { signal })).subscription.unsubscribe();
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('may end any number of connections and dials with one listener', () => {
    const abort = withAbort();
    const dials = Array.from({ length: 20 }, () => recordDial(connect(() => NEVER, { signal: abort.signal })));
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(1);
    abort.now();
    expect(dials.map(({ log }) => log)).toEqual(dials.map(() => ['complete']));
    expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
  });

  it('aborts a dial and completes', async () => {
    const abort = new AbortController();
    const server = await rawServer(async (peer) => {
      await peer.request();
      abort.abort();
    });
    const dial = recordDial(connect(server.url, { signal: abort.signal }));
    expect(await dial.ending).toEqual({ kind: 'completed' });
    await server.peers[0]?.ended;
    expect(dial.log).toEqual(['complete']);
  });

  it.each(['of the options', 'of the target'])(
    '%s closes an open connection with 1000, and completes',
    async (whose) => {
      const { signal, ...abort } = withAbort();
      const server = await rawServer(async (peer) => {
        await peer.accept();
        expect(await peer.closeCode()).toBe(1000);
        peer.send(close(1000));
        peer.socket.end();
      });
      const { url } = server;
      const dial = recordDial(whose === 'of the options' ? connect(url, { signal }) : connect(() => ({ url, signal })));
      await dial.opened;
      abort.now();
      expect(await dial.ending).toEqual({ kind: 'completed' });
      expect(dial.closeInfos).toMatchObject([{ code: 1000, wasClean: true, initiator: 'local' }]);
    },
  );
});

function withAbort(): { readonly signal: AbortSignal; now(): void } {
  const controller = new AbortController();
  return { signal: controller.signal, now: () => controller.abort() };
}

describe('the target', () => {
  const forms: { form: string; of: (url: string) => ConnectTarget }[] = [
    { form: 'a string', of: (url) => url },
    { form: 'a URL', of: (url) => new URL(url) },
    { form: 'an object', of: (url) => ({ url }) },
    { form: 'an object with a URL', of: (url) => ({ url: new URL(url) }) },
    { form: 'http: for ws:', of: (url) => url.replace('ws:', 'http:') },
    { form: 'a function', of: (url) => () => url },
    { form: 'a function that gives an object', of: (url) => () => ({ url }) },
    { form: 'a function that gives a Promise', of: (url) => async () => url },
    { form: 'a function that gives an Observable', of: (url) => () => of(url) },
    { form: 'a function that gives an Observable of several', of: (url) => () => of(url, 'ws://127.0.0.1:1') },
  ];
  it.each(forms)('may be $form', async ({ of: make }) => {
    const server = await rawServer(async (peer) => void (await peer.accept()));
    const dial = recordDial(connect(make(server.url)));
    expect((await dial.opened).url).toBe(`${server.url}/`);
    expect(server.peers).toHaveLength(1);
    dial.subscription.unsubscribe();
  });

  it('brings options and subprotocols of its own, which count before the others', async () => {
    const server = await rawServer(
      async (peer) => void (await peer.accept({ lines: ['Sec-WebSocket-Protocol: own'] })),
    );
    const { url } = server;
    const dial = recordDial(
      connect(() => ({ url, protocols: ['own', 'second'], headers: { 'X-Whose': 'own' } }), 'other', {
        headers: { 'X-Whose': 'other' },
        origin: 'http://kept.example',
      }),
    );
    expect((await dial.opened).protocol).toBe('own');
    const headers = server.peers[0]?.head?.headers;
    expect(headers?.get('sec-websocket-protocol')).toBe('own, second');
    expect(headers?.get('x-whose')).toBe('own');
    expect(headers?.get('origin')).toBe('http://kept.example');
    dial.subscription.unsubscribe();
  });

  it('is asked anew for each subscription', async () => {
    const server = await rawServer(async (peer, index) => {
      if (index < 2) peer.socket.end('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n');
      else await peer.accept();
    });
    let asked = 0;
    const dial = recordDial(
      connect(() => ({ url: server.url, headers: { 'X-Attempt': `${++asked}` } })).pipe(retry(5)),
    );
    await dial.opened;
    expect(asked).toBe(3);
    expect(server.peers[2]?.head?.headers.get('x-attempt')).toBe('3');
    dial.subscription.unsubscribe();
  });

  const failures: { what: string; target: () => PlainTarget | Promise<PlainTarget> | Observable<PlainTarget> }[] = [
    {
      what: 'throws',
      target: () => {
        throw new Error('no place');
      },
    },
    { what: 'rejects', target: () => Promise.reject(new Error('no place')) },
    { what: 'gives an Observable that errors', target: () => throwError(() => new Error('no place')) },
  ];
  it.each(failures)('fails the dial when its function $what', async ({ target }) => {
    expect(await recordDial(connect(target)).failure).toMatchObject({ message: 'no place', uptime: 0 });
  });

  it('fails the dial when its function gives an empty Observable', async () => {
    const error = await recordDial(connect(() => of<string>())).failure;
    expect(error).toMatchObject({ name: 'HandshakeError', code: 'TARGET_INVALID', status: 0, uptime: 0 });
  });

  it.each([
    ['not a URL', 'nowhere', SyntaxError],
    ['an unknown option', { url: 'ws://127.0.0.1:1', colour: 'red' } as PlainTarget, TypeError],
    ['nothing', undefined as unknown as PlainTarget, TypeError],
  ])('fails the dial when its function gives %s', async (_what, place, type) => {
    const error = await recordDial(connect(() => place)).failure;
    expect(error).toBeInstanceOf(type);
    expect(error.uptime).toBe(0);
  });

  it('is given up with the Observable that would give it', () => {
    const place$ = new Subject<string>();
    const dial = recordDial(connect(() => place$));
    expect(place$.observed).toBe(true);
    dial.subscription.unsubscribe();
    expect(place$.observed).toBe(false);
    expect(dial.log).toEqual([]);
  });

  it('is not asked for again while it takes its time, and counts in handshakeTimeout', async () => {
    const place$ = new Subject<string>();
    const dial = recordDial(connect(() => place$, { handshakeTimeout: 10 }));
    expect(await dial.failure).toMatchObject({ code: 'HANDSHAKE_TIMEOUT', uptime: 0 });
    expect(place$.observed).toBe(false);
  });

  it('has its time taken from the handshakeTimeout that it brings', () => {
    const scheduler = new VirtualTimeScheduler();
    const target = { url: 'ws://some.example', lookup: () => {}, handshakeTimeout: 40 };
    const dial = recordDial(connect(() => of(target).pipe(delay(30, scheduler)), { scheduler, handshakeTimeout: 100 }));
    let failedAt = -1;
    dial.subscription.add(() => {
      failedAt = scheduler.now();
    });
    scheduler.flush();
    expect(failedAt).toBe(40);
    expect(dial.log).toEqual(['error']);
  });

  it('may bring a handshakeTimeout of its own', async () => {
    const server = await rawServer(async (peer) => void (await peer.request()));
    const { url } = server;
    const dial = recordDial(connect(() => timer(1).pipe(map(() => ({ url, handshakeTimeout: 20 })))));
    expect(await dial.failure).toMatchObject({ code: 'HANDSHAKE_TIMEOUT' });
    expect(await recordDial(connect({ url, handshakeTimeout: 20 })).failure).toMatchObject({
      code: 'HANDSHAKE_TIMEOUT',
    });
  });
});

async function polite(peer: RawPeer): Promise<void> {
  await peer.accept({}, text('first'));
  await peer.closeCode();
  peer.send(close(1000));
  peer.socket.end();
}

describe('openConnection', () => {
  it('resolves with the open connection, which lives until it is closed', async () => {
    const server = await rawServer(polite);
    const connection = await openConnection(server.url);
    expect(connection.readyState).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(connection.readyState).toBe(1);
    connection.close();
    expect(await firstValueFrom(connection.close$)).toMatchObject({ code: 1000, wasClean: true, initiator: 'local' });
  });

  it('loses no message to the turn that a Promise takes', async () => {
    const server = await rawServer(polite);
    const connection = await openConnection(server.url);
    expect(await firstValueFrom(connection.messages$)).toBe('first');
    connection.close();
    await firstValueFrom(connection.close$);
  });

  it('takes subprotocols and options as connect does', async () => {
    const server = await rawServer(async (peer) => void (await peer.accept({ lines: ['Sec-WebSocket-Protocol: b'] })));
    const connection = await openConnection(server.url, ['a', 'b'], {
      headers: { 'X-A': '1' },
      binaryType: 'arraybuffer',
    });
    expect(connection.protocol).toBe('b');
    expect(server.peers[0]?.head?.headers.get('x-a')).toBe('1');
    connection.terminate();
  });

  it('rejects when there is no connection', async () => {
    const server = await rawServer(async (peer) => {
      await peer.request();
      peer.socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
    });
    await expect(openConnection(server.url)).rejects.toMatchObject({
      name: 'HandshakeError',
      status: 403,
      body: 'no',
      uptime: 0,
    });
  });

  it('rejects when the dial is aborted', async () => {
    const abort = new AbortController();
    const server = await rawServer(async (peer) => {
      await peer.request();
      abort.abort();
      await peer.ended;
    });
    await expect(openConnection(server.url, { signal: abort.signal })).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('throws at the call for a wrong target or option', () => {
    expect(() => openConnection('nowhere')).toThrow(SyntaxError);
    expect(() => openConnection('ws://127.0.0.1', { maxPayload: -1 })).toThrow(RangeError);
  });

  it('says nothing of a loss after it was open, but in close$', async () => {
    const server = await rawServer(async (peer) => {
      await peer.accept();
      await peer.frame();
      peer.socket.resetAndDestroy();
    });
    const connection = await openConnection(server.url);
    connection.send.next('now');
    expect(await firstValueFrom(connection.close$)).toMatchObject({ code: 1006, wasClean: false });
  });
});
