import type { ExtensionOffer } from '../handshake/extensions.js';

/** The name under which the extension is offered. RFC 7692 §7. */
export const PERMESSAGE_DEFLATE = 'permessage-deflate';

/** What both ends agree to, or what one end wants. RFC 7692 §7.1. */
export interface DeflateParameters {
  /** The server forgets its window after each message. §7.1.1.1. */
  readonly serverNoContextTakeover: boolean;
  /** The client forgets its window after each message. §7.1.1.2. */
  readonly clientNoContextTakeover: boolean;
  /** The server refers at most 2^this bytes back, 8 to 15. §7.1.2.1. */
  readonly serverMaxWindowBits: number;
  /** The client refers at most 2^this bytes back, 8 to 15. §7.1.2.2. */
  readonly clientMaxWindowBits: number;
}

/** An offer that a server accepts, and its answer. */
export interface AcceptedDeflate {
  readonly parameters: DeflateParameters;
  /** What goes into Sec-WebSocket-Extensions of the response. */
  readonly answer: ExtensionOffer;
}

/** The parameters of one offer or answer; a window of a client that was named without a size is `true`. */
interface ReadParameters {
  serverNoContextTakeover: boolean;
  clientNoContextTakeover: boolean;
  serverMaxWindowBits: number | undefined;
  clientMaxWindowBits: number | true | undefined;
}

/**
 * Chooses the first offer that can be accepted. One that has an unknown, repeated or invalid parameter, or that `wanted` does not
 * go with, is declined, without a word about the others. RFC 7692 §5, §7.
 *
 * @returns undefined if there is none: the connection goes on without compression.
 */
export function acceptDeflate(
  offers: readonly ExtensionOffer[],
  wanted: DeflateParameters,
): AcceptedDeflate | undefined {
  for (const offer of offers) {
    if (offer.name !== PERMESSAGE_DEFLATE) continue;
    const read = readParameters(offer);
    const accepted = typeof read === 'string' ? undefined : accept(read, wanted);
    if (accepted !== undefined) return accepted;
  }
  return undefined;
}

/** The offer of a client that wants `wanted`. It can always keep a smaller window, if the server asks for it. RFC 7692 §7.1.2.2. */
export function deflateOffer(wanted: DeflateParameters): ExtensionOffer {
  const { serverMaxWindowBits, clientMaxWindowBits } = wanted;
  const params = new Map<string, (string | true)[]>();
  if (wanted.serverNoContextTakeover) params.set('server_no_context_takeover', [true]);
  if (wanted.clientNoContextTakeover) params.set('client_no_context_takeover', [true]);
  if (serverMaxWindowBits < 15) params.set('server_max_window_bits', [String(serverMaxWindowBits)]);
  params.set('client_max_window_bits', [clientMaxWindowBits < 15 ? String(clientMaxWindowBits) : true]);
  return { name: PERMESSAGE_DEFLATE, params };
}

/**
 * Reads a server's answer to {@link deflateOffer}.
 *
 * @throws SyntaxError that says what was found and allowed, when the answer is not one to that offer. RFC 7692 §7.1: the client
 *   "MUST _Fail the WebSocket Connection_" then.
 */
export function readDeflateAnswer(answer: ExtensionOffer, wanted: DeflateParameters): DeflateParameters {
  const read = readParameters(answer);
  if (typeof read === 'string') throw new SyntaxError(`permessage-deflate answered with ${read}`);
  // §7.1.1.1: a server accepts the parameter "by including the 'server_no_context_takeover' extension parameter"
  if (wanted.serverNoContextTakeover && !read.serverNoContextTakeover) {
    throw new SyntaxError('permessage-deflate answered without server_no_context_takeover, that was asked for');
  }
  // §7.1.2.1: "by including [it] in the corresponding extension negotiation response [...] with the same or smaller value"
  const serverMaxWindowBits = read.serverMaxWindowBits ?? 15;
  if (serverMaxWindowBits > wanted.serverMaxWindowBits) {
    const allowed = `at most the ${wanted.serverMaxWindowBits} that were asked for`;
    throw new SyntaxError(`permessage-deflate: server_max_window_bits must be ${allowed}, got ${serverMaxWindowBits}`);
  }
  // §7.1.2.2: only in an offer may it come without a value
  if (read.clientMaxWindowBits === true) {
    throw new SyntaxError('permessage-deflate: client_max_window_bits must be from 8 to 15, got no value');
  }
  return {
    serverNoContextTakeover: read.serverNoContextTakeover,
    clientNoContextTakeover: read.clientNoContextTakeover || wanted.clientNoContextTakeover,
    serverMaxWindowBits,
    clientMaxWindowBits: Math.min(read.clientMaxWindowBits ?? 15, wanted.clientMaxWindowBits),
  };
}

function accept(read: ReadParameters, wanted: DeflateParameters): AcceptedDeflate | undefined {
  // §7.1.2.2: without it in the offer, the answer cannot ask the client for a smaller window
  if (read.clientMaxWindowBits === undefined && wanted.clientMaxWindowBits < 15) return undefined;
  const offeredClientBits = read.clientMaxWindowBits === true ? 15 : (read.clientMaxWindowBits ?? 15);
  const parameters = {
    serverNoContextTakeover: read.serverNoContextTakeover || wanted.serverNoContextTakeover,
    clientNoContextTakeover: read.clientNoContextTakeover || wanted.clientNoContextTakeover,
    serverMaxWindowBits: Math.min(read.serverMaxWindowBits ?? 15, wanted.serverMaxWindowBits),
    clientMaxWindowBits: Math.min(offeredClientBits, wanted.clientMaxWindowBits),
  };
  const params = new Map<string, (string | true)[]>();
  if (parameters.serverNoContextTakeover) params.set('server_no_context_takeover', [true]);
  if (parameters.clientNoContextTakeover) params.set('client_no_context_takeover', [true]);
  if (read.serverMaxWindowBits !== undefined || parameters.serverMaxWindowBits < 15) {
    params.set('server_max_window_bits', [String(parameters.serverMaxWindowBits)]);
  }
  if (parameters.clientMaxWindowBits < 15)
    params.set('client_max_window_bits', [String(parameters.clientMaxWindowBits)]);
  return { parameters, answer: { name: PERMESSAGE_DEFLATE, params } };
}

/** @returns what is wrong, as text, when a parameter is unknown, repeated, or has a value that it may not have. */
function readParameters({ params }: ExtensionOffer): ReadParameters | string {
  const read: ReadParameters = {
    serverNoContextTakeover: false,
    clientNoContextTakeover: false,
    serverMaxWindowBits: undefined,
    clientMaxWindowBits: undefined,
  };
  for (const [name, values] of params) {
    const [value = true] = values;
    // §7.1: a receiver declines an offer that "contains multiple extension parameters with the same name"
    if (values.length > 1) return `${name} ${values.length} times instead of once`;
    if (!assign(read, name, value))
      return `${name}${value === true ? '' : `=${value}`}, that RFC 7692 §7.1 does not allow`;
  }
  return read;
}

function assign(read: ReadParameters, name: string, value: string | true): boolean {
  switch (name) {
    case 'server_no_context_takeover':
      read.serverNoContextTakeover = true;
      return value === true;
    case 'client_no_context_takeover':
      read.clientNoContextTakeover = true;
      return value === true;
    case 'server_max_window_bits':
      read.serverMaxWindowBits = windowBits(value);
      return read.serverMaxWindowBits !== undefined;
    case 'client_max_window_bits':
      read.clientMaxWindowBits = value === true ? true : windowBits(value);
      return read.clientMaxWindowBits !== undefined;
    default:
      return false;
  }
}

/** §7.1.2: "a decimal integer value without leading zeroes between 8 to 15, inclusive" */
function windowBits(value: string | true): number | undefined {
  return value !== true && /^(?:8|9|1[0-5])$/.test(value) ? Number(value) : undefined;
}
