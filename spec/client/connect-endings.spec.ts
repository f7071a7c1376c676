import fc from 'fast-check';
import { type Connection, connect } from 'sluice';
import { type DialError, deferred, recordDial } from '../support/dial-record.js';
import { close, closeOf, ping, text } from '../support/frames.js';
import { guardProcess } from '../support/process-guard.js';
import { closeRawServers, type RawPeer, rawServer } from '../support/raw-server.js';

guardProcess();
afterEach(closeRawServers);

describe('the end of connect', () => {
  const clean = [
    { what: 'the peer closes with 1000', frame: close(1000, 'done'), info: { code: 1000, reason: 'done' } },
    { what: 'the peer closes without a code', frame: closeOf(), info: { code: 1005, reason: '' } },
  ];
  it.each(clean)('completes when $what', async ({ frame, info }) => {
    const server = await rawServer(async (peer) => {
      await peer.accept({}, text('last'), frame);
      expect(await peer.closeCode()).toBe(info.code);
      peer.socket.end();
    });
    const dial = recordDial(connect(server.url));
    expect(await dial.ending).toEqual({ kind: 'completed' });
    expect(dial.closeInfos).toEqual([{ ...info, wasClean: true, initiator: 'peer' }]);
    expect(dial.log).toEqual(['open', 'message', 'messages complete', 'close', 'complete']);
  });

  it('errors with code and reason when the peer closes with any other code', async () => {
    const server = await rawServer(async (peer) => {
      await peer.accept({}, text('last'), close(4001, 'go away'));
      expect(await peer.closeCode()).toBe(4001);
      peer.socket.end();
    });
    const dial = recordDial(connect(server.url));
    const error = await dial.failure;
    expect(error).toMatchObject({
      name: 'ConnectionClosedError',
      code: 4001,
      reason: 'go away',
      wasClean: true,
      uptime: expect.any(Number),
    });
    expect(dial.closeInfos).toEqual([{ code: 4001, reason: 'go away', wasClean: true, initiator: 'peer' }]);
    expect(dial.log).toEqual(['open', 'message', 'messages complete', 'close', 'error']);
  });

  it('completes when we closed, with any code', async () => {
    const server = await rawServer(async (peer) => {
      await peer.accept();
      expect(await peer.closeCode()).toBe(4000);
      peer.send(close(4000));
      peer.socket.end();
    });
    const dial = recordDial(connect(server.url));
    (await dial.opened).close(4000, 'enough');
    expect(await dial.ending).toEqual({ kind: 'completed' });
    expect(dial.closeInfos).toMatchObject([{ code: 4000, wasClean: true, initiator: 'local' }]);
  });

  const rude: { what: string; answer: (peer: RawPeer) => unknown; info: object }[] = [
    { what: 'does not answer', answer: () => {}, info: {} },
    { what: 'ends without an answer', answer: (peer) => peer.socket.end(), info: {} },
    { what: 'resets', answer: (peer) => peer.socket.resetAndDestroy(), info: { error: { code: 'ECONNRESET' } } },
  ];
  it.each(rude)('completes when we closed and the peer $what', async ({ answer, info }) => {
    const server = await rawServer(async (peer) => {
      await peer.accept();
      await peer.closeCode();
      answer(peer);
    });
    const dial = recordDial(connect(server.url, { closeTimeout: 20 }));
    (await dial.opened).close();
    expect(await dial.ending).toEqual({ kind: 'completed' });
    expect(dial.closeInfos).toMatchObject([{ code: 1006, wasClean: false, initiator: 'local', ...info }]);
    expect(dial.log).toEqual(['open', 'messages complete', 'close', 'complete']);
  });

  it('completes when we terminated', async () => {
    const server = await rawServer(async (peer) => void (await peer.accept()));
    const dial = recordDial(connect(server.url));
    (await dial.opened).terminate();
    expect(await dial.ending).toEqual({ kind: 'completed' });
    expect(dial.closeInfos).toMatchObject([{ code: 1006, wasClean: false, initiator: 'local' }]);
  });

  it('errors when we sent what cannot be sent', async () => {
    const server = await rawServer(async (peer) => {
      await peer.accept();
      expect(await peer.closeCode()).toBe(1011);
      peer.send(close(1011));
      peer.socket.end();
    });
    const dial = recordDial(connect(server.url));
    (await dial.opened).send.next({} as string);
    expect(await dial.failure).toMatchObject({ name: 'UsageError', code: 'UNSUPPORTED_DATA' });
  });

  it('leaves what waited to a later subscriber, then completes it', async () => {
    const server = await rawServer(async (peer) => {
      await peer.accept({}, text('one'), text('two'), close(4000));
      peer.socket.end();
    });
    let connection: Connection | undefined;
    const done = deferred();
    connect(server.url).subscribe({ next: (opened) => (connection = opened), error: () => done.resolve() });
    await done.promise;
    const seen: unknown[] = [];
    connection?.messages$.subscribe({ next: (message) => seen.push(message), complete: () => seen.push('complete') });
    expect(seen).toEqual(['one', 'two', 'complete']);
  });

  it('errors with 1006 when the transport ends without a Close frame', async () => {
    const server = await rawServer(async (peer) => {
      await peer.accept({}, text('last'));
      peer.socket.end();
    });
    const dial = recordDial(connect(server.url));
    expect(await dial.failure).toMatchObject({ name: 'ConnectionClosedError', code: 1006, wasClean: false });
    expect((await dial.failure).uptime).toBeGreaterThan(0);
    expect(dial.closeInfos).toMatchObject([{ code: 1006, reason: '', wasClean: false, initiator: 'peer' }]);
    expect(dial.log).toEqual(['open', 'message', 'messages complete', 'close', 'error']);
  });

  const resets = [
    { when: 'while it is idle', sent: [] },
    { when: 'in the middle of a message', sent: [text('never whole', { length: { value: 100n, bits: 7 } })] },
  ];
  it.each(resets)('errors with 1006 and the cause when it is reset $when', async ({ sent }) => {
    const server = await rawServer(async (peer) => {
      await peer.accept({}, ping('are you there'), ...sent);
      await peer.frameOf(0xa);
      peer.socket.resetAndDestroy();
    });
    const dial = recordDial(connect(server.url));
    const error = await dial.failure;
    expect(error).toMatchObject({ name: 'ConnectionClosedError', code: 1006, wasClean: false });
    expect(error.cause).toMatchObject({ code: 'ECONNRESET' });
    expect(dial.closeInfos).toMatchObject([{ code: 1006, wasClean: false, error: { code: 'ECONNRESET' } }]);
    expect(dial.messages).toEqual([]);
  });

  it('errors with a ProtocolError when the peer breaks the protocol, and tells it why', async () => {
    const told = deferred<number>();
    const server = await rawServer(async (peer) => {
      await peer.accept({}, text('good'), text('masked', { masked: true }), text('unseen'));
      told.resolve(await peer.closeCode());
      peer.socket.end();
    });
    const dial = recordDial(connect(server.url));
    expect(await dial.failure).toMatchObject({ name: 'ProtocolError', code: 'MASK_FORBIDDEN', closeCode: 1002 });
    expect((await dial.failure).uptime).toBeGreaterThan(0);
    expect(await told.promise).toBe(1002);
    expect(dial.messages).toEqual(['good']);
    expect(dial.closeInfos).toMatchObject([
      { code: 1002, wasClean: false, initiator: 'local', error: { code: 'MASK_FORBIDDEN' } },
    ]);
    expect(dial.log).toEqual(['open', 'message', 'messages complete', 'close', 'error']);
  });

  it('refuses a compressed frame when no compression was agreed', async () => {
    const server = await rawServer(async (peer) => {
      await peer.accept({}, text('', { rsv: 4 }));
      await peer.closeCode();
      peer.socket.end();
    });
    expect(await recordDial(connect(server.url)).failure).toMatchObject({ code: 'RESERVED_BIT', closeCode: 1002 });
  });

  it('errors when the peer does not answer the heartbeat', async () => {
    const server = await rawServer(async (peer) => void (await peer.accept()));
    const dial = recordDial(connect(server.url, { heartbeat: { interval: 5, timeout: 5 } }));
    expect(await dial.failure).toMatchObject({ name: 'WebSocketError', code: 'HEARTBEAT_TIMEOUT' });
    expect((await dial.failure).uptime).toBeGreaterThan(0);
    expect(dial.closeInfos).toMatchObject([{ code: 1006, wasClean: false, error: { code: 'HEARTBEAT_TIMEOUT' } }]);
  });

  it('is told after close$, and not before what is held was delivered', async () => {
    const server = await rawServer(async (peer) => {
      await peer.accept({}, text('held'), close(4000));
      peer.socket.end();
    });
    let hold: { unsubscribe(): void } | undefined;
    const log: string[] = [];
    const done = deferred<DialError>();
    let uptime = 0;
    connect(server.url).subscribe({
      next: (connection) => {
        hold = connection.hold();
        connection.messages$.subscribe({
          next: () => log.push('message'),
          complete: () => log.push('messages complete'),
        });
        connection.close$.subscribe(() => {
          log.push('close');
          uptime = connection.stats.uptime;
          setImmediate(() => hold?.unsubscribe());
        });
      },
      error: (error: DialError) => {
        log.push('error');
        done.resolve(error);
      },
    });
    // The time for which something was held is not time for which it was open.
    expect((await done.promise).uptime).toBeLessThanOrEqual(uptime);
    expect(log).toEqual(['close', 'message', 'messages complete', 'error']);
  });

  it('comes once, in the right order, whatever bytes the peer sends', async () => {
    let bytes: Uint8Array = new Uint8Array();
    const server = await rawServer(async (peer) => {
      await peer.accept();
      peer.socket.end(bytes);
    });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (sent) => {
        bytes = sent;
        const dial = recordDial(connect(server.url));
        const { kind } = await dial.ending;
        expect(dial.log.join().replace(/,message(?=,)/g, '')).toMatch(
          /^open,messages complete,close,(error|complete)$/,
        );
        expect(dial.closeInfos).toHaveLength(1);
        expect(dial.log.at(-1)).toBe(kind === 'failed' ? 'error' : 'complete');
      }),
      { numRuns: 100 },
    );
  });
});
