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
}

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

/** How many idle connections the memory is measured with. */
export const idleConnections = 5000;
