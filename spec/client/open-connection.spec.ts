import { firstValueFrom } from 'rxjs';
import { openConnection } from 'sluice';
import { close, text } from '../support/frames.js';
import { guardProcess } from '../support/process-guard.js';
import { closeRawServers, type RawPeer, rawServer } from '../support/raw-server.js';

guardProcess();
afterEach(closeRawServers);

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
