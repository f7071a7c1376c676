/** What is measured. A new kind of load is a new table here. */

/** One kind of load for an echo server. */
export interface EchoProfile {
  readonly name: string;
  readonly kind: 'text' | 'binary';
  /** Payload of a message. */
  readonly bytes: number;
  /** Messages that are under way on a connection at any time. */
  readonly inFlight: number;
  readonly connections: number;
  /** How messages are compressed. @default not at all */
  readonly compression?: Compression;
}

/** `message`: each by itself, without context; `context`: with the context of those before, in both directions, and windows of 15 bits. */
export type Compression = 'message' | 'context';

/** On how many connections at once. */
const connections = 64;

const sizes = [
  { label: '32 B', bytes: 32 },
  { label: '1 KiB', bytes: 1024 },
  { label: '64 KiB', bytes: 65_536 },
];

/** Small, medium and large messages, one at a time and in bursts. */
export const echoProfiles: readonly EchoProfile[] = sizes.flatMap(({ label, bytes }) =>
  (['text', 'binary'] as const).flatMap((kind) =>
    [1, 16].map((inFlight) => ({
      name: `${label} ${kind}, ${inFlight} in flight`,
      kind,
      bytes,
      inFlight,
      connections,
    })),
  ),
);

/** Text in the shape of JSON, compressed on both ways, each message by itself. */
export const compressedProfiles: readonly EchoProfile[] = [
  { label: '64 B', bytes: 64 },
  { label: '2 KiB', bytes: 2048 },
  { label: '64 KiB', bytes: 65_536 },
].flatMap(({ label, bytes }) =>
  [1, 16].map((inFlight) => ({
    name: `compressed ${label}, ${inFlight} in flight`,
    kind: 'text' as const,
    bytes,
    inFlight,
    connections,
    compression: 'message' as const,
  })),
);

/** One connection sends, and everybody gets it: one message at a time, and in bursts. */
export const broadcastProfiles: readonly EchoProfile[] = [1, 16].map((inFlight) => ({
  name: `broadcast, ${inFlight} in flight`,
  kind: 'text',
  bytes: 128,
  inFlight,
  connections: 1000,
}));

/** How many connections the memory is measured with that have echoed a compressed message. */
export const compressedConnections = 2000;

/** How large that message is, in bytes. */
export const compressedBytes = 2048;

/** How many idle connections the memory is measured with. */
export const idleConnections = 5000;
