import { Agent, createServer } from 'node:http';
import { firstValueFrom, take, toArray } from 'rxjs';
import { type CloseInfo, type Connection, connect, type ServeOptions, serve } from 'sluice';
import { recordDial } from '../support/dial-record.js';
import { duplexPair } from '../support/duplex-pair.js';
import { guardProcess } from '../support/process-guard.js';

guardProcess();

/** Dials over a stream, whose other end is given to a http server with `options`. */
function dialOver(options: ServeOptions<unknown> = {}) {
  const http = createServer();
  const [ours, theirs] = duplexPair();
  const connections: Connection<unknown, unknown>[] = [];
  const serving = serve({ server: http, ...options }).subscribe((connection) => {
    connections.push(connection);
    connection.messages$.subscribe((message) => connection.trySend(message as string));
  });
  const agent = new Agent();
  agent.createConnection = () => {
    http.emit('connection', theirs);
    return ours;
  };
  const dial = recordDial(connect('ws://server.example/path', { agent }));
  return { dial, connections, ours, theirs, stop: () => serving.unsubscribe() };
}

describe('a handshake over streams that are no sockets', () => {
  it('opens a connection that knows no address, and carries messages until it is closed', async () => {
    const { dial, connections, ours, theirs, stop } = dialOver({ origins: 'same-origin' });
    const connection = await dial.opened;
    const received = firstValueFrom(connection.messages$.pipe(take(3), toArray()));
    const sent = ['a', 'x'.repeat(100_000), Buffer.from([0, 255])];
    for (const message of sent) connection.send.next(message);
    expect(await received).toEqual(sent);
    expect([connection.remoteAddress, connections[0]?.remoteAddress]).toEqual([undefined, undefined]);
    connection.close(3000);
    const infos: CloseInfo[] = await Promise.all(
      [connection, connections[0] as Connection].map(({ close$ }) => firstValueFrom(close$)),
    );
    expect(infos.map(({ code, wasClean }) => [code, wasClean])).toEqual([
      [3000, true],
      [3000, true],
    ]);
    await dial.ending;
    expect([ours.destroyed, theirs.destroyed]).toEqual([true, true]);
    stop();
  });

  it('may be refused', async () => {
    const { dial, connections, ours, stop } = dialOver({ verifyClient: () => false });
    expect(await dial.failure).toMatchObject({ name: 'HandshakeError', status: 401 });
    expect([connections, ours.destroyed]).toEqual([[], true]);
    stop();
  });
});
