/** Connections that are reset, whatever they are doing. */
import { connect } from 'sluice';
import { ping, text, wire } from '../../support/frames.js';
import { type RawPeer, type RawServerOptions, rawServer, responseOf } from '../../support/raw-server.js';
import { ca, serverPair } from '../../support/tls.js';
import { exactly, type FaultCase, type Finding } from '../fault-case.js';
import { honestConnects } from '../honest-connects.js';
import { Subject } from '../subject.js';
import { inParallel } from '../swarm/mass-peer.js';
import { resetMoments, tlsResetMoments } from '../swarm/resets.js';
import { Swarm } from '../swarm.js';

/** A server whose peers reset. */
export const serverResets: FaultCase = {
  name: 'peers that reset',
  async run(scale) {
    const count = scale === 'short' ? 50 : 1_000;
    const swarm = await Swarm.start();
    try {
      return [
        ...(await resetsOf(swarm, count, Object.keys(resetMoments), {})),
        ...(await resetsOf(swarm, count, Object.keys(tlsResetMoments), serverPair)),
      ];
    } finally {
      await swarm.kill();
    }
  },
};

async function resetsOf(swarm: Swarm, count: number, moments: string[], options: object): Promise<Finding[]> {
  const subject = await Subject.start({ options: { ...options } });
  try {
    for (const moment of moments) {
      await swarm.run('resetAt', { port: subject.port, count, moment });
      // A connection without a record, or with two, ends the case here.
      await subject.until(({ opened, closed }) => closed === opened, 10);
    }
    const { opened, closed, escaped } = await subject.vitals();
    const what = `${count} resets in each of ${moments.length} moments${'cert' in options ? ' over TLS' : ''}`;
    if (!('cert' in options)) await honestConnects(subject.port, 10);
    return [
      exactly(`close records after ${what}`, opened, closed),
      exactly(`uncaught errors after them`, 0, escaped.length),
    ];
  } finally {
    await subject.stop();
  }
}

/** What a server does to a client. Some of it is over before the connection is open. */
const clientMoments: Readonly<Record<string, { act(peer: RawPeer): Promise<unknown>; opens: boolean }>> = {
  'at the accept': { opens: false, act: async ({ socket }) => socket.resetAndDestroy() },
  'behind the request': {
    opens: false,
    async act(peer) {
      await peer.request();
      peer.socket.resetAndDestroy();
    },
  },
  'within the 101': {
    opens: false,
    async act(peer) {
      const response = responseOf(await peer.request());
      await written(peer, response.subarray(0, response.length - 2));
    },
  },
  'when open and idle': { opens: true, act: (peer) => behindAccept(peer, ping('still there?')) },
  'within a frame': {
    opens: true,
    act: (peer) => behindAccept(peer, ping(), wire('client', [text('half')]).subarray(0, 4)),
  },
  'behind the Close frame of the client': {
    opens: true,
    async act(peer) {
      await peer.accept({}, text('close'));
      await peer.closeCode();
      peer.socket.resetAndDestroy();
    },
  },
};

async function written(peer: RawPeer, bytes: Uint8Array): Promise<void> {
  await new Promise((resolve) => peer.socket.write(bytes, resolve));
  peer.socket.resetAndDestroy();
}

/** Waits for the answer to `first`: only then is the client open for certain. */
async function behindAccept(peer: RawPeer, first: ReturnType<typeof ping>, then?: Uint8Array): Promise<void> {
  await peer.accept({}, first);
  await peer.frameOf(0xa);
  if (then === undefined) peer.socket.resetAndDestroy();
  else await written(peer, then);
}

/** Clients whose server resets. */
export const clientResets: FaultCase = {
  name: 'servers that reset',
  async run(scale) {
    const count = scale === 'short' ? 100 : 1_000;
    const escaped: unknown[] = [];
    const note = (error: unknown): number => escaped.push(error);
    process.on('uncaughtException', note).on('unhandledRejection', note);
    try {
      const findings: Finding[] = [];
      for (const [moment, { act, opens }] of Object.entries(clientMoments)) {
        const tally = await clientsOf(count, act);
        const expected = opens ? `${count} open, ${count} closed` : '0 open, 0 closed';
        findings.push(exactly(`${count} clients reset ${moment}`, `${expected}, ${count} ended`, tally));
      }
      const below: RawServerOptions = {
        tls: { ...serverPair },
        onSocket: (socket) => setTimeout(() => socket.resetAndDestroy(), Math.random() * 5),
      };
      const tally = await clientsOf(count, async () => {}, below);
      findings.push(
        exactly(`${count} clients reset within the handshake of TLS`, `0 open, 0 closed, ${count} ended`, tally),
      );
      // RxJS reports in a timeout what nobody takes.
      await new Promise((resolve) => setTimeout(resolve, 10));
      return [...findings, exactly('uncaught errors', 0, escaped.length)];
    } finally {
      process.off('uncaughtException', note).off('unhandledRejection', note);
    }
  },
};

/** How often clients opened, had a close record, and how often their `connect()` ended. */
async function clientsOf(
  count: number,
  act: (peer: RawPeer) => Promise<unknown>,
  options: RawServerOptions = {},
): Promise<string> {
  const server = await rawServer(async (peer) => void (await act(peer)), options);
  let [open, closed, ended] = [0, 0, 0];
  try {
    await inParallel(count, 50, async () => {
      await new Promise<void>((resolve) => {
        const end = (): void => {
          ended++;
          // What came a second time would come soon.
          setImmediate(resolve);
        };
        connect(server.url, [], { ca, servername: 'localhost' }).subscribe({
          next: (connection) => {
            open++;
            connection.close$.subscribe(() => closed++);
            connection.messages$.subscribe(() => connection.close());
          },
          error: end,
          complete: end,
        });
      });
    });
  } finally {
    await server.close();
  }
  return `${open} open, ${closed} closed, ${ended} ended`;
}
