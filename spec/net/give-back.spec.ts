import type { IncomingMessage, ServerResponse } from 'node:http';
import { Duplex } from 'node:stream';
import { serve } from 'sluice';
import { endAfterEach } from '../support/end-after-each.js';
import { guardProcess } from '../support/process-guard.js';
import { handshake } from '../support/raw-client.js';
import { secondCopy } from '../support/second-copy.js';
import { type Carrier, type SharedHttp, sharedHttp } from '../support/shared-http.js';
import { until } from '../support/until.js';

guardProcess();
const atEnd = endAfterEach();

const h2c = { Upgrade: 'h2c', Connection: 'Upgrade, HTTP2-Settings', 'HTTP2-Settings': 'AAMAAABkAAQCAAAAAAIAAAAA' };

/** Says what it was asked for, a turn of the event loop later. */
function later(request: IncomingMessage, response: ServerResponse): void {
  const { url, headers } = request;
  request.resume();
  const body = `${url} ${headers.upgrade} ${headers.connection}`;
  setImmediate(() => response.setHeader('Content-Length', body.length).end(body));
}

async function shared(carrier: Carrier, listener = later): Promise<SharedHttp> {
  const http = await sharedHttp(atEnd, listener, carrier);
  const subscription = serve({ server: http.server }).subscribe();
  atEnd(() => subscription.unsubscribe());
  return http;
}

describe.each<[Carrier]>([['http'], ['https'], ['unix']])(
  'upgrades to something else among pipelined requests, over %s',
  (carrier) => {
    it('are all answered, in their order', async () => {
      const http = await shared(carrier);
      const raw = await http.dial();
      const requests = Array.from({ length: 40 }, (_, index) =>
        handshake({
          path: `/${index}`,
          headers: index % 2 === 0 ? { Upgrade: undefined, Connection: undefined } : h2c,
        }),
      );
      raw.write(requests.join(''));
      const answers: string[] = [];
      for (const _ of requests) answers.push((await raw.body(await raw.response())).split(' ')[0]!);
      expect(answers).toEqual(requests.map((_, index) => `/${index}`));
      raw.write(handshake());
      expect((await raw.response()).status).toBe(101);
    });
  },
);

describe('an upgrade to something else', () => {
  it.each([
    ['1.1', 'Upgrade', 'undefined', false],
    ['1.1', 'Upgrade, HTTP2-Settings', 'undefined', false],
    ['1.1', 'upgrade, X-Own', 'X-Own', false],
    ['1.1', 'Upgrade, close', 'close', true],
    ['1.0', 'Upgrade', 'undefined', true],
    ['1.0', 'keep-alive, Upgrade', 'keep-alive', false],
  ])('of HTTP/%s with Connection: %s keeps the connection as that says', async (version, connection, seen, ends) => {
    const http = await shared('http');
    const raw = await http.ask({ path: '/a', version, headers: { ...h2c, Connection: connection } });
    const response = await raw.response();
    expect(await raw.body(response)).toBe(`/a undefined ${seen}`);
    expect(response.headers.get('connection')).toEqual([ends ? 'close' : 'keep-alive']);
    if (ends) expect(await raw.ended()).toBe('end');
    else raw.write(handshake());
    if (!ends) expect((await raw.response()).status).toBe(101);
  });

  it('may take longer than the connection may be idle', async () => {
    const responses: ServerResponse[] = [];
    const http = await shared('http', (_request, response) => void responses.push(response));
    http.server.keepAliveTimeout = 1;
    const raw = await http.dial();
    raw.write(handshake({ headers: { Upgrade: undefined, Connection: undefined } }) + handshake({ headers: h2c }));
    await until(() => responses.length > 0);
    responses[0]!.end('a');
    expect(await raw.body(await raw.response())).toBe('a');
    await until(() => responses.length > 1);
    expect(responses[1]!.socket!.timeout ?? 0).toBe(0);
    responses[1]!.end('b');
    expect(await raw.body(await raw.response())).toBe('b');
  });

  it('is not answered where the answer before it ends the connection', async () => {
    const responses: ServerResponse[] = [];
    const http = await shared('http', (_request, response) => void responses.push(response));
    const raw = await http.dial();
    raw.write(handshake({ headers: { Upgrade: undefined, Connection: undefined } }) + handshake({ headers: h2c }));
    await until(() => responses.length > 0);
    // As a response with Connection: close does, but with the socket still there when that has left.
    responses[0]!.once('finish', () => responses[0]!.req.socket.end());
    responses[0]!.end('last');
    expect(await raw.body(await raw.response())).toBe('last');
    await raw.ended();
    expect(responses).toHaveLength(1);
    raw.end();
    await http.gone();
  });

  it('ends with its connection at the FIN of the peer, as an ordinary request does', async () => {
    const responses: ServerResponse[] = [];
    const http = await shared('http', (_request, response) => void responses.push(response));
    const raw = await http.dial();
    raw.write(handshake({ headers: { Upgrade: undefined, Connection: undefined } }) + handshake({ headers: h2c }));
    await until(() => responses.length > 0);
    raw.end();
    await http.gone();
    expect(responses).toHaveLength(1);
  });
});

it('an upgrade to something else whose body Node has put around its socket is refused, since that could not be read', async () => {
  const http = await shared('http');
  const emit = http.server.emit.bind(http.server) as (event: string, ...args: unknown[]) => boolean;
  const around = (event: string, request: IncomingMessage, socket: Duplex, head: Buffer): boolean =>
    emit(event, request, event === 'upgrade' ? Duplex.from({ readable: socket, writable: socket }) : socket, head);
  jest.spyOn(http.server, 'emit').mockImplementation(around as never);
  const raw = await http.ask({ method: 'POST', headers: { ...h2c, 'Content-Length': '5' } });
  expect((await raw.response()).status).toBe(501);
});

it('an upgrade to something else is given back once where two copies of sluice share the server', async () => {
  const http = await shared('http');
  const subscription = secondCopy().serve({ server: http.server, path: '/second' }).subscribe();
  atEnd(() => subscription.unsubscribe());
  const raw = await http.ask({ path: '/a', headers: h2c });
  expect(await raw.body(await raw.response())).toBe('/a undefined undefined');
  raw.write(handshake());
  expect((await raw.response()).status).toBe(101);
});
