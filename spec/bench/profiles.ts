/** What is measured. A new kind of load is a new table here. */

/** One kind of load. */
export interface Profile {
  readonly name: string;
  /** What the process under test does with it. @default echo */
  readonly does?: Role;
  readonly kind: 'text' | 'binary';
  /** Payload of a message. */
  readonly bytes: number;
  /** Messages that are under way on a connection at any time; with `perSecond`, at most. */
  readonly inFlight: number;
  readonly connections: number;
  /** How messages are compressed. @default not at all */
  readonly compression?: Compression;
  /** Messages a second on all connections together. @default as many as the process under test echoes */
  readonly perSecond?: number;
}

/** `client`: dials the load generator and echoes; `handshake`: nothing, each connection is closed as soon as it is open. */
export type Role = 'echo' | 'broadcast' | 'client' | 'handshake';

/** `message`: each by itself, without context; `context`: with the context of those before, in both directions, and windows of 15 bits. */
export type Compression = 'message' | 'context';

/** On how many connections at once, and how many messages on each: fewer the larger they are. */
const sizes = [
  { label: '32 B', bytes: 32, connections: 64, depths: [1, 16] },
  { label: '1 KiB', bytes: 1024, connections: 64, depths: [1, 16] },
  { label: '64 KiB', bytes: 65_536, connections: 16, depths: [1, 4, 16] },
  { label: '1 MiB', bytes: 1_048_576, connections: 4, depths: [1, 16] },
];

/** Small to very large messages, one at a time and in bursts. */
export const echoProfiles: readonly Profile[] = sizes.flatMap(({ label, bytes, connections, depths }) =>
  (['text', 'binary'] as const).flatMap((kind) =>
    depths.map((inFlight) => ({
      name: `${label} ${kind}, ${inFlight} in flight`,
      kind,
      bytes,
      inFlight,
      connections,
    })),
  ),
);

/** The other way around: the load generator is the server, and sends what the clients echo. */
export const clientProfiles: readonly Profile[] = [1, 16].map((inFlight) => ({
  name: `client 32 B text, ${inFlight} in flight`,
  does: 'client',
  kind: 'text',
  bytes: 32,
  inFlight,
  connections: 64,
}));

/** One connection sends, and everybody gets it: one message at a time, and in bursts. */
export const broadcastProfiles: readonly Profile[] = [1, 16].map((inFlight) => ({
  name: `broadcast, ${inFlight} in flight`,
  does: 'broadcast',
  kind: 'text',
  bytes: 128,
  inFlight,
  connections: 1000,
}));

/** Text in the shape of JSON, compressed on both ways, each message by itself. */
export const compressedProfiles: readonly Profile[] = [
  { label: '64 B', bytes: 64 },
  { label: '2 KiB', bytes: 2048 },
  { label: '64 KiB', bytes: 65_536 },
].flatMap(({ label, bytes }) =>
  [1, 16].map((inFlight) => ({
    name: `compressed ${label}, ${inFlight} in flight`,
    kind: 'text' as const,
    bytes,
    inFlight,
    connections: 64,
    compression: 'message' as const,
  })),
);

/** Connections that are opened and closed, so many at a time. */
export const handshakeProfiles: readonly Profile[] = [
  { name: 'handshakes', does: 'handshake', kind: 'text', bytes: 0, inFlight: 0, connections: 16 },
];

/**
 * The same messages a second on more and more connections. Never two on one of them: what comes together is cheaper, and would make few
 * connections look better than they are.
 */
export const scaleProfiles: readonly Profile[] = ['10', '100', '1 000', '10 000'].map((label) => ({
  name: `scale ${label} connections`,
  kind: 'text',
  bytes: 32,
  inFlight: 1,
  connections: Number(label.replace(' ', '')),
  perSecond: 20_000,
}));

/** How many connections the memory is measured with that have echoed a compressed message. */
export const compressedConnections = 2000;

/** How large that message is, in bytes. */
export const compressedBytes = 2048;

/** How many idle connections the memory is measured with. */
export const idleConnections = 5000;
