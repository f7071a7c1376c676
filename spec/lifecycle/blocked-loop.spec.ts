/** What came in time, while our own event loop did not turn, is not late. */
import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net';
import { firstValueFrom } from 'rxjs';
import { type Connection, connect, serve } from 'sluice';
import { blockLoop } from '../support/block-loop.js';
import { recordDial } from '../support/dial-record.js';
import { endAfterEach } from '../support/end-after-each.js';
import { close, wire } from '../support/frames.js';
import { guardProcess } from '../support/process-guard.js';
import { handshake, RawClient } from '../support/raw-client.js';
import { closeRawServers, rawServer, responseOf } from '../support/raw-server.js';
import { run } from '../support/running-server.js';
import { until } from '../support/until.js';

/** So long that what belongs in it is there in time on a machine that does much else. In milliseconds. */
const TIMEOUT = 400;

guardProcess();
const end = endAfterEach();
afterEach(closeRawServers);

describe('behind an event loop that was blocked for longer than the deadline', () => {
  it('a server takes a request that came meanwhile', async () => {
    const { port, subscription } = await run(serve({ port: 0, host: '127.0.0.1', handshakeTimeout: TIMEOUT }));
    end(() => subscription.unsubscribe());
    const raw = await opened(port);
    // The rest comes when its deadline is running for certain.
    raw.write(handshake().slice(0, 40));
    await turn();
    raw.write(handshake().slice(40));
    blockLoop(TIMEOUT + 100);
    expect((await raw.response()).status).toBe(101);
  });

  it('a server takes the answer of a hook that came meanwhile', async () => {
    const { ours, theirs } = await socketPair();
    let asked = false;
    const authenticate = async (): Promise<string> => {
      asked = true;
      const [answer] = (await once(ours, 'data')) as [Buffer];
      return answer.toString();
    };
    const server = serve({ port: 0, host: '127.0.0.1', handshakeTimeout: TIMEOUT, authenticate });
    const { port, subscription, connections } = await run(server);
    end(() => subscription.unsubscribe());
    const raw = await opened(port);
    raw.write(handshake());
    await until(() => asked);
    theirs.write('Ada');
    blockLoop(TIMEOUT + 100);
    expect((await raw.response()).status).toBe(101);
    expect(connections[0]?.data).toBe('Ada');
  });

  it('a client takes a response that came meanwhile', async () => {
    const server = await rawServer(async (peer) => {
      peer.socket.write(responseOf(await peer.request()));
      blockLoop(TIMEOUT + 100);
    });
    const dial = recordDial(connect(server.url, [], { handshakeTimeout: TIMEOUT }));
    end(() => dial.subscription.unsubscribe());
    await until(() => dial.log.length > 0);
    expect(dial.log).toEqual(['open']);
  });

  it('a closing handshake whose second half came meanwhile is clean', async () => {
    const options = { port: 0, host: '127.0.0.1', closeTimeout: TIMEOUT };
    const { port, subscription, connections } = await run(serve(options));
    end(() => subscription.unsubscribe());
    const raw = await opened(port);
    raw.write(handshake());
    await raw.response();
    const connection = connections[0] as Connection;
    const record = firstValueFrom(connection.close$);
    connection.close(1000);
    await raw.frame();
    raw.write(wire('server', [close(1000)]));
    blockLoop(TIMEOUT + 100);
    expect(await record).toEqual({ code: 1000, reason: '', wasClean: true, initiator: 'local' });
  });
});

async function opened(port: number): Promise<RawClient> {
  const raw = await RawClient.connect(port);
  end(() => raw.close());
  return raw;
}

/** Lets the loop turn until what was written before is read. */
async function turn(): Promise<void> {
  const { ours, theirs } = await socketPair();
  theirs.write('read');
  await once(ours, 'data');
}

/** Two ends of a connection in this process. */
async function socketPair(): Promise<{ ours: Socket; theirs: Socket }> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const theirs = connectTcp((server.address() as AddressInfo).port, '127.0.0.1');
  const [ours] = await accepted;
  end(() => {
    ours.destroy();
    theirs.destroy();
    server.close();
  });
  return { ours, theirs };
}
