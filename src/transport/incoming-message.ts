/** Node's view of the request or response of a handshake: all that the layers above know of `node:http`. */
export type { IncomingMessage, Server as HttpServer } from 'node:http';
export type { Duplex } from 'node:stream';
