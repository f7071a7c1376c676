/** Errors of the operating system, injected into the transport of a connection. */
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { type CloseInfo, type Connection, connect, serve, wrap } from 'sluice';
import { endAfterEach } from '../support/end-after-each.js';
import { text, wire } from '../support/frames.js';
import { guardProcess } from '../support/process-guard.js';
import { rawServer } from '../support/raw-server.js';

const CODES = ['ENOBUFS', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ECONNRESET'] as const;

/** What Node makes of a failed call. */
function systemError(code: string, syscall: string): Error {
  return Object.assign(new Error(`${syscall} ${code}`), { code, syscall, errno: -1 });
}

/** A stream whose calls fail once `fault` is set: the writes, and the end. */
class FailingStream extends Duplex {
  fault: Error | undefined;

  override _read(): void {}

  override _write(_chunk: Buffer, _encoding: string, callback: (error?: Error) => void): void {
    process.nextTick(callback, this.fault);
  }

  override _final(callback: (error?: Error) => void): void {
    process.nextTick(callback, this.fault);
  }
}

/** All close records, once the connection is over: an Observable that emits twice or errors fails the test. */
function records(connection: Connection): Promise<CloseInfo[]> {
  return lastValueFrom(connection.close$.pipe(toArray()));
}

describe.each(CODES)('%s of the operating system', (code) => {
  guardProcess();
  const end = endAfterEach();

  describe.each(['server', 'client'] as const)('at the end of a %s', (role) => {
    function open(): { stream: FailingStream; connection: Connection; over: Promise<CloseInfo[]> } {
      const stream = new FailingStream();
      const connection = wrap(stream, { role });
      connection.messages$.subscribe();
      return { stream, connection, over: records(connection) };
    }

    it('is the error of one close record when a read fails', async () => {
      const { stream, over } = open();
      const error = systemError(code, 'read');
      stream.destroy(error);
      expect(await over).toEqual([{ code: 1006, reason: '', wasClean: false, initiator: 'peer', error }]);
    });

    it('is the error of one close record when a read fails within a message', async () => {
      const { stream, over } = open();
      const error = systemError(code, 'read');
      stream.push(wire(role, [text('half a message')]).subarray(0, 9));
      stream.destroy(error);
      expect(await over).toEqual([{ code: 1006, reason: '', wasClean: false, initiator: 'peer', error }]);
    });

    it('is the error of one close record when a write fails, whatever else is written', async () => {
      const { stream, connection, over } = open();
      stream.fault = systemError(code, 'write');
      for (let i = 0; i < 100; i++) connection.send.next(`message ${i}`);
      const error = stream.fault;
      expect(await over).toEqual([{ code: 1006, reason: '', wasClean: false, initiator: 'peer', error }]);
      expect(connection.trySend('too late')).toBe('closed');
    });

    it('is the error of one close record when the Close frame cannot be written', async () => {
      const { stream, connection, over } = open();
      stream.fault = systemError(code, 'write');
      connection.close(1000);
      const error = stream.fault;
      expect(await over).toEqual([{ code: 1006, reason: '', wasClean: false, initiator: 'local', error }]);
    });

    it('does not keep from its subscribers what had come before', async () => {
      const { stream, connection, over } = open();
      const received: unknown[] = [];
      const messages = lastValueFrom(connection.messages$.pipe(toArray()));
      connection.messages$.subscribe((message) => {
        received.push(message);
        if (message === 'last') stream.destroy(systemError(code, 'read'));
      });
      stream.push(wire(role, [text('first'), text('last')]));
      expect(await messages).toEqual(['first', 'last']);
      expect(received).toEqual(['first', 'last']);
      expect(await over).toHaveLength(1);
    });
  });

  it('ends one connection of a server, and no other', async () => {
    const sockets: Socket[] = [];
    const http = createHttpServer();
    http.on('connection', (socket: Socket) => sockets.push(socket));
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const accepted: Connection[] = [];
    const server = serve({ server: http }).subscribe((connection) => {
      accepted.push(connection);
      connection.messages$.subscribe(connection.send);
    });
    end(() => new Promise((resolve) => http.close(resolve)));
    end(() => server.unsubscribe());
    const { port } = http.address() as AddressInfo;
    const [hit, spared] = [await opened(port), await opened(port)];
    const error = systemError(code, 'read');
    const over = records(accepted[0] as Connection);
    const lost = firstValueFrom(hit.close$);
    (sockets[0] as Socket).destroy(error);
    expect(await over).toEqual([{ code: 1006, reason: '', wasClean: false, initiator: 'peer', error }]);
    expect(await lost).toMatchObject({ code: 1006, wasClean: false });
    const echo = firstValueFrom(spared.messages$);
    spared.send.next('still there?');
    expect(await echo).toBe('still there?');
    spared.close();
    await firstValueFrom(spared.close$);
  });

  it('is the error of connect(), with how long the connection was open', async () => {
    const peers = await rawServer(async (peer) => {
      await peer.accept();
    });
    end(() => peers.close());
    const error = systemError(code, 'read');
    const failure = new Promise((resolve) => {
      const next = ({ response }: Connection): unknown => response?.socket.destroy(error);
      connect(peers.url).subscribe({ next, error: resolve });
    });
    expect(await failure).toMatchObject({ code: 1006, wasClean: false, cause: error, uptime: expect.any(Number) });
  });

  /** Opens a connection; it ends with the test. */
  async function opened(port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const client = connect(`ws://127.0.0.1:${port}`).subscribe({ next: resolve, error: reject });
      end(() => client.unsubscribe());
    });
  }
});
