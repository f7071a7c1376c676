import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { serve } from 'sluice';
import { keepOtherUpgrades } from '../../src/transport/give-back.js';
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
    ['1.1', 'upgrade, X-Own', /^upgrade, X-Own$|^X-Own$/, false],
    ['1.1', 'Upgrade, close', /^Upgrade, close$|^close$/, true],
    ['1.0', 'Upgrade', 'undefined', true],
    ['1.0', 'keep-alive, Upgrade', /^keep-alive, Upgrade$|^keep-alive$/, false],
  ])('of HTTP/%s with Connection: %s keeps the connection as that says', async (version, connection, seen, ends) => {
    const http = await shared('http');
    const raw = await http.ask({ path: '/a', version, headers: { ...h2c, Connection: connection } });
    const response = await raw.response();
    const [, , ...options] = (await raw.body(response)).split(' ');
    if (typeof seen !== 'string') expect(options.join(' ')).toMatch(seen);
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

describe('a version of Node that asks which requests to upgrade', () => {
  type Choice = (this: Server, request: IncomingMessage) => boolean;
  interface Choosing extends Server {
    shouldUpgradeCallback: Choice;
  }
  const asked = (upgrade: string): IncomingMessage =>
    ({ rawHeaders: ['Upgrade', upgrade], socket: {} }) as unknown as IncomingMessage;

  it('is told to upgrade to WebSocket only, unless another listener may want more', () => {
    const server = { shouldUpgradeCallback: jest.fn(() => true) } as unknown as Choosing;
    const before = server.shouldUpgradeCallback;
    let isWanted = false;
    const undo = keepOtherUpgrades(server, () => isWanted);
    const choices = (): boolean[] => ['websocket', 'h2c'].map((name) => server.shouldUpgradeCallback(asked(name)));
    expect(choices()).toEqual([true, false]);
    isWanted = true;
    expect(choices()).toEqual([true, true]);
    undo();
    expect(server.shouldUpgradeCallback).toBe(before);
  });

  it('keeps the choice of the application', () => {
    const server = { shouldUpgradeCallback: () => false } as unknown as Choosing;
    keepOtherUpgrades(server, () => true);
    expect([server.shouldUpgradeCallback(asked('websocket')), server.shouldUpgradeCallback(asked('h2c'))]).toEqual([
      false,
      false,
    ]);
  });

  it('is told so by each copy, and by none once all have left, in any order', () => {
    const server = { shouldUpgradeCallback: () => true } as unknown as Choosing;
    const [first, second] = [keepOtherUpgrades(server, () => false), keepOtherUpgrades(server, () => false)];
    first();
    expect(server.shouldUpgradeCallback(asked('h2c'))).toBe(false);
    second();
    expect(server.shouldUpgradeCallback(asked('h2c'))).toBe(true);
  });

  it('gives the requests of two copies to the routes of the application', async () => {
    const http = await shared('http');
    const subscription = secondCopy().serve({ server: http.server, path: '/second' }).subscribe();
    atEnd(() => subscription.unsubscribe());
    const raw = await http.ask({ path: '/a', headers: h2c });
    expect((await raw.response()).status).toBe(200);
  });
});
