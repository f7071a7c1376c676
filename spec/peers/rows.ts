/** All rows. */
import { chromiumRow } from './chromium.js';
import { curlRow } from './curl.js';
import { haproxy, nginx, proxyRow } from './proxies.js';
import { clientRow, type Row, serverRow } from './row.js';

/** Debian's, whatever else is on the path. */
const python = '/usr/bin/python3';
const perl = '/usr/bin/perl';
const node = process.execPath;

/** The default of our server is the first subprotocol that is offered. */
const asClient = { protocol: 'chat.v1' } as const;

/** Node does not compress what it sends, and knows neither frames nor pings. */
const inPage = { ...asClient, compresses: false } as const;

const all = { fragments: true, pings: true } as const;
/** Once it has compressed something, an empty message is a compressed one of no bytes, which no inflater can read. */
const mojolicious = { ...all, compressesEmpty: false } as const;
const nodeFlags = Number(process.versions.node.split('.')[0]) < 22 ? ['--experimental-websocket'] : [];

export const rows: readonly Row[] = [
  serverRow('websockets (Python)', [python, 'websockets_peer.py', 'server'], all),
  clientRow('websockets (Python)', [python, 'websockets_peer.py', 'client'], { ...all, ...asClient }),
  serverRow('Tornado', [python, 'tornado_peer.py', 'server'], { pings: true }),
  clientRow('Tornado', [python, 'tornado_peer.py', 'client'], { pings: true, forgets: false, ...asClient }),
  serverRow('aiohttp', [python, 'aiohttp_peer.py', 'server'], { pings: true }),
  clientRow('aiohttp', [python, 'aiohttp_peer.py', 'client'], { pings: true, ...asClient }),
  serverRow('Autobahn (Python)', [python, 'autobahn_peer.py', 'server'], all),
  clientRow('Autobahn (Python)', [python, 'autobahn_peer.py', 'client'], { ...all, ...asClient }),
  serverRow('Mojolicious', [perl, 'mojolicious_peer.pl', 'server'], mojolicious),
  clientRow('Mojolicious', [perl, 'mojolicious_peer.pl', 'client'], { ...mojolicious, forgets: false, ...asClient }),
  serverRow('ws', [node, 'ws-peer.mjs', 'server'], all),
  clientRow('ws', [node, 'ws-peer.mjs', 'client'], { ...all, ...asClient }),
  clientRow('undici', [node, 'browser-peer.mjs', 'undici'], inPage),
  clientRow('WebSocket of Node', [node, ...nodeFlags, 'browser-peer.mjs', 'global'], inPage),
  chromiumRow({ ...asClient }),
  proxyRow(nginx),
  proxyRow(haproxy),
  curlRow,
];
