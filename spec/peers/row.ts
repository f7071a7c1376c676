/** The rows of the table: one for each peer and role. */
import type { AddressInfo } from 'node:net';
import { firstValueFrom, type Subscription } from 'rxjs';
import { type Connection, openConnection, type ServeOptions, serve } from 'sluice';
import {
  type Abilities,
  agreedContext,
  closeOurs,
  closeTheirs,
  converse,
  Findings,
  type Outcome,
  VARIANTS,
  type Variant,
} from './conversation.js';
import { inTime, type Lines, type Peer, PeerProcess } from './peer.js';

/** What one peer is in one role. */
export interface Row {
  readonly peer: string;
  /** What the peer is: `server` is one that our client talks to. */
  readonly role: 'server' | 'client' | 'proxy';
  /** @throws Error when it cannot run: that is a failure. */
  run(): Promise<Result>;
}

export interface Result {
  readonly version: string;
  readonly outcome: Outcome;
  /** What our defaults and those of the peer agree to. */
  readonly agreed: string;
}

/** More than the conversations send at once; no heartbeat comes in between. */
const roomy = { maxPayload: 4_194_304, heartbeat: false } as const;
const variants = Object.keys(VARIANTS) as Variant[];

/** A server of ours. */
export class OurServer {
  port = 0;
  #subscription: Subscription | undefined;
  readonly #connections: Connection[] = [];
  #wake: (() => void) | undefined;

  /** @param onConnection is called with each connection, at once. */
  static async start(options: ServeOptions, onConnection?: (conn: Connection) => void): Promise<OurServer> {
    const server = serve({ port: 0, host: '127.0.0.1', ...roomy, ...options });
    const listening = firstValueFrom(server.listening$);
    const ours = new OurServer();
    ours.#subscription = server.subscribe((conn) => {
      onConnection?.(conn as Connection);
      ours.#connections.push(conn as Connection);
      ours.#wake?.();
    });
    ours.port = ((await listening) as AddressInfo).port;
    return ours;
  }

  stop(): void {
    this.#subscription?.unsubscribe();
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/`;
  }

  /** The next connection that nobody has taken. */
  async accepted(): Promise<Connection> {
    if (this.#connections.length === 0) {
      await inTime(
        'connection',
        new Promise<void>((resolve) => {
          this.#wake = resolve;
        }),
      );
    }
    return this.#connections.shift()!;
  }
}

/** A client of ours. */
export function ourClient(
  url: string,
  variant: Variant,
  protocols: readonly string[] = ['chat.v1', 'chat.v2'],
): Promise<Connection> {
  return inTime('handshake', openConnection(url, protocols, { ...roomy, ...VARIANTS[variant] })) as Promise<Connection>;
}

/** Tries all variants over connections that `open` makes: in each, one that we close and one that the peer closes. */
export async function tryVariants(
  open: (variant: Variant) => Promise<Connection>,
  lines: Lines,
  can: Abilities,
  tried: readonly Variant[] = variants,
): Promise<Omit<Result, 'version'>> {
  const findings = new Findings();
  let agreed = 'no compression';
  for (const variant of tried) {
    await findings.check(variant === 'plain' ? 'echo' : variant, async () => {
      const conn = await open(variant);
      if (variant === 'compression') agreed = agreedContext(conn);
      await converse(conn, variant, can, findings);
      await closeOurs(conn, lines, findings);
      conn.terminate();
      const other = await open(variant);
      await closeTheirs(other, lines, findings);
      other.terminate();
    });
  }
  return { outcome: findings.outcome, agreed };
}

/** A row for a peer that is a server in a process of its own. */
export function serverRow(peer: string, command: readonly string[], can: Abilities): Row {
  return {
    peer,
    role: 'server',
    run: () =>
      withPeer(command, async (server) => {
        const version = await server.lines.take('version');
        const url = `ws://127.0.0.1:${await server.lines.take('port')}/`;
        return { version, ...(await tryVariants((variant) => ourClient(url, variant), server.lines, can)) };
      }),
  };
}

/** A row for a peer that is a client in a process of its own. */
export function clientRow(peer: string, command: readonly string[], can: Abilities): Row {
  return { peer, role: 'client', run: () => withPeer(command, (client) => tryClient(client, can)) };
}

/** Our servers, and a peer that connects to them. */
export async function tryClient(client: Peer, can: Abilities): Promise<Result> {
  const version = await client.lines.take('version');
  const servers = new Map<Variant, OurServer>();
  for (const variant of variants) servers.set(variant, await OurServer.start(optionsOf(variant, can)));
  try {
    const open = (variant: Variant): Promise<Connection> => {
      const server = servers.get(variant)!;
      client.connect(server.url, variant !== 'plain');
      return Promise.race([server.accepted(), client.lines.take('never')]) as Promise<Connection>;
    };
    return { version, ...(await tryVariants(open, client.lines, can)) };
  } finally {
    for (const server of servers.values()) server.stop();
  }
}

/** Without `handleProtocols`, to see the default, where nothing is compressed; else the second that is offered. */
function optionsOf(variant: Variant, { forgets = true }: Abilities): ServeOptions {
  if (variant === 'plain') return VARIANTS[variant];
  const options = forgets ? VARIANTS[variant] : { perMessageDeflate: { clientNoContextTakeover: false } };
  return { ...options, handleProtocols: () => 'chat.v2' };
}

async function withPeer<T>(command: readonly string[], use: (peer: PeerProcess) => Promise<T>): Promise<T> {
  const peer = PeerProcess.start(command);
  try {
    return await use(peer);
  } finally {
    await peer.stop();
  }
}
