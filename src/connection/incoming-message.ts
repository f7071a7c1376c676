import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** Node's request or response of a handshake. The layers above use nothing else of `node:http`. */
export type { IncomingMessage, Server as HttpServer } from 'node:http';
export type { Duplex } from 'node:stream';

/** The arguments of Node's 'upgrade' event. */
export type UpgradeArguments = readonly [request: IncomingMessage, socket: Duplex, head: Buffer];
