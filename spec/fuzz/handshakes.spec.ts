import { once } from 'node:events';
import * as fc from 'fast-check';
import { firstValueFrom } from 'rxjs';
import { HandshakeError, openConnection, serve } from 'sluice';
import { isLong } from '../support/long.js';
import { guardProcess } from '../support/process-guard.js';
import { handshake, RawClient } from '../support/raw-client.js';
import { acceptFor, closeRawServers, rawServer } from '../support/raw-server.js';
import { echo, type RunningServer, run } from '../support/running-server.js';
import { corpus } from './corpus.js';
import { handshakeErrors, refusals } from './documented.js';
import { inputs } from './mutations.js';
import { requests, responses } from './targets.js';

guardProcess();

/** Each has a connection of its own. */
const RUNS = { numRuns: isLong ? 1_000 : 120 } as const;

describe('a server, whatever the first bytes of a connection are', () => {
  let server: RunningServer<unknown, unknown>;

  beforeAll(async () => {
    server = await run(serve({ port: 0, host: '127.0.0.1' }), echo);
  });

  afterAll(() => {
    server.subscription.unsubscribe();
  });

  /** The status that the input gets; nothing when the connection ends without an answer. */
  async function answerTo(input: Buffer): Promise<number | undefined> {
    const client = await RawClient.connect(server.port);
    client.write(input);
    client.end();
    await client.ended();
    const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(client.received.toString('latin1')) ?? [];
    const wasSilent = client.received.length === 0;
    await client.close();
    if (status === undefined && !wasSilent) throw new Error(`answered with ${client.received.toString('latin1')}`);
    return status === undefined ? undefined : Number(status);
  }

  const isDocumented = (status: number | undefined): boolean =>
    status === undefined || status === 101 || refusals.has(status);

  it.each(corpus(requests.corpus).map(({ name, input }) => [name, input] as const))(
    'gives a seed a documented answer: %s',
    async (_, input) => {
      expect(isDocumented(await answerTo(input))).toBe(true);
    },
  );

  it('gives a documented answer or none, and serves the next one', async () => {
    await fc.assert(
      fc.asyncProperty(inputs(requests, { times: 400, longest: 40_000 }), async (input) =>
        isDocumented(await answerTo(input)),
      ),
      RUNS,
    );
    expect(await answerTo(Buffer.from(handshake()))).toBe(101);
  });
});

describe('a client, whatever the answer to its handshake is', () => {
  afterEach(closeRawServers);

  /** The code that `connect` errors with; `open` when it does not. */
  async function outcomeOf(input: Buffer): Promise<string> {
    const server = await rawServer(async (peer) => {
      const { headers } = await peer.request();
      const accept = acceptFor(headers.get('sec-websocket-key') ?? '');
      peer.socket.end(Buffer.from(input.toString('latin1').replaceAll('{accept}', accept), 'latin1'));
      if (!peer.socket.destroyed) await once(peer.socket, 'close');
    });
    try {
      const connection = await openConnection(server.url, ['chat']);
      connection.ignoreMessages();
      await firstValueFrom(connection.close$);
      return 'open';
    } catch (error) {
      if (error instanceof HandshakeError) return error.code;
      const { code, syscall } = error as NodeJS.ErrnoException;
      // Node's own: the connection ended before the answer was whole.
      if (code === 'ECONNRESET' || syscall !== undefined) return 'lost';
      throw error;
    } finally {
      await server.close();
    }
  }

  const isDocumented = (outcome: string): boolean =>
    outcome === 'open' || outcome === 'lost' || handshakeErrors.has(outcome);

  it.each(corpus(responses.corpus).map(({ name, input }) => [name, input] as const))(
    'has a documented outcome for a seed: %s',
    async (_, input) => {
      expect(isDocumented(await outcomeOf(input))).toBe(true);
    },
  );

  it('has a documented outcome', async () => {
    await fc.assert(
      fc.asyncProperty(inputs(responses, { times: 400, longest: 40_000 }), async (input) =>
        isDocumented(await outcomeOf(input)),
      ),
      RUNS,
    );
  });
});
