import { type IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * A compact record of an upgrade request that the application has not seen yet, from which the request is built on demand. Every
 * connection of a server keeps its request, but few are read. As a stream with a list of strings a request takes 1 KiB, in this form a
 * quarter of that.
 */
export class RequestRecord {
  readonly url: string;
  readonly #socket: Duplex;
  /** Names and values, one per line: none of them can contain a line break. */
  readonly #fields: string;
  #request: IncomingMessage | undefined;

  constructor({ url = '', rawHeaders }: IncomingMessage, socket: Duplex) {
    this.url = url;
    this.#socket = socket;
    this.#fields = rawHeaders.join('\n');
  }

  /** The request. Every accepted request is HTTP/1.1 and has no body. */
  get request(): IncomingMessage {
    this.#request ??= this.#make();
    return this.#request;
  }

  #make(): IncomingMessage {
    const request = new IncomingMessage(this.#socket as Socket);
    request.method = 'GET';
    request.url = this.url;
    request.httpVersion = '1.1';
    request.httpVersionMajor = 1;
    request.httpVersionMinor = 1;
    request.rawHeaders = this.#fields.split('\n');
    const fields = distinct(request.rawHeaders);
    request.headersDistinct = fields;
    request.headers = joined(fields);
    request.complete = true;
    request.push(null);
    return request;
  }
}

/** Fields of which Node keeps only the first. */
const SINGLE =
  /^(?:age|authorization|content-(?:length|type)|etag|expires|from|host|if-(?:un)?modified-since|last-modified|location|max-forwards|proxy-authorization|referer|retry-after|server|user-agent)$/;

/** The values of each field, by lower-case name. */
function distinct(rawHeaders: readonly string[]): Record<string, string[]> {
  const fields = new Map<string, string[]>();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] as string).toLowerCase();
    const values = fields.get(name) ?? [];
    values.push(rawHeaders[at + 1] as string);
    fields.set(name, values);
  }
  return Object.fromEntries(fields);
}

/** Joins repeated fields as Node does for `message.headers`. */
function joined(fields: Record<string, readonly string[]>): IncomingHttpHeaders {
  return Object.fromEntries(
    Object.entries(fields).map(([name, values]) => {
      if (name === 'set-cookie') return [name, values];
      return [name, SINGLE.test(name) ? values[0] : values.join(name === 'cookie' ? '; ' : ', ')];
    }),
  );
}
