/** What takes longest runs by itself, and first, in this order, so that no worker is left with it at the end. */
export const longest = [
  'examples/tutorial',
  'examples/gateway',
  'lifecycle/stopped-peers',
  'conformance/large-messages',
  'lifecycle/simulation-of-both-ends',
  'interop/bytes',
  'interop/compression',
  'examples/transfer',
  'faults/lost-server',
  'interop/ws-client',
  'server/mistakes',
  'interop/undici',
  'lifecycle/failed-writes',
].map((name) => `${name}.spec.ts`);
