import type { ExtensionOffer } from '../handshake/extensions.js';

/** The name of the extension. RFC 7692 §7. */
export const PERMESSAGE_DEFLATE = 'permessage-deflate';

/** The parameters that both ends agree on, or that one end wants. RFC 7692 §7.1. */
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

/** The parameters that a client wants. */
export interface WantedDeflate extends DeflateParameters {
  /**
   * Whether a client that wants `serverNoContextTakeover` still accepts a server that keeps its window, of any size: many servers answer
   * each offer with the bare name.
   * @default false
   */
  readonly takesServerContext?: boolean;
}

/** An offer that a server accepts, and its answer. */
export interface AcceptedDeflate {
  readonly parameters: DeflateParameters;
  /** The Sec-WebSocket-Extensions value of the response. */
  readonly answer: ExtensionOffer;
}

/** The parameters of one offer or answer; `client_max_window_bits` without a value is `true`. */
interface ReadParameters {
  serverNoContextTakeover: boolean;
  clientNoContextTakeover: boolean;
  serverMaxWindowBits: number | undefined;
  clientMaxWindowBits: number | true | undefined;
}

/**
 * Chooses the first offer that can be accepted. An offer that has an unknown, repeated or invalid parameter, or that is incompatible with
 * `wanted`, is declined, which does not affect the others. RFC 7692 §5, §7.
 *
 * @returns undefined if there is none: the connection continues without compression.
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

/**
 * Returns the offers of a client that wants `wanted`, in order of preference. The second offer has no parameters, so that a server may
 * answer it with the bare name. RFC 7692 §7.1.3 gives such a list as an example.
 */
export function deflateOffers(wanted: WantedDeflate): ExtensionOffer[] {
  const preferred = preferredOffer(wanted);
  return wanted.takesServerContext === true
    ? [preferred, { name: PERMESSAGE_DEFLATE, params: new Map() }]
    : [preferred];
}

/** Always offers `client_max_window_bits`: the client can use a smaller window if the server requests it. RFC 7692 §7.1.2.2. */
function preferredOffer(wanted: DeflateParameters): ExtensionOffer {
  const { serverMaxWindowBits, clientMaxWindowBits } = wanted;
  const params = new Map<string, (string | true)[]>();
  if (wanted.serverNoContextTakeover) params.set('server_no_context_takeover', [true]);
  if (wanted.clientNoContextTakeover) params.set('client_no_context_takeover', [true]);
  if (serverMaxWindowBits < 15) params.set('server_max_window_bits', [String(serverMaxWindowBits)]);
  params.set('client_max_window_bits', [clientMaxWindowBits < 15 ? String(clientMaxWindowBits) : true]);
  return { name: PERMESSAGE_DEFLATE, params };
}

/**
 * Reads a server's answer to {@link deflateOffers}.
 *
 * @throws SyntaxError if it does not answer any of them; the message says what was expected and what was found. RFC 7692 §7.1: the client
 *   "MUST _Fail the WebSocket Connection_" then.
 */
export function readDeflateAnswer(answer: ExtensionOffer, wanted: WantedDeflate): DeflateParameters {
  const read = readParameters(answer);
  if (typeof read === 'string') throw new SyntaxError(`permessage-deflate: ${read}`);
  if (isPlainAnswer(read, wanted)) return readPlainAnswer(read, wanted);
  // §7.1.1.1: a server accepts the parameter "by including the 'server_no_context_takeover' extension parameter"
  if (wanted.serverNoContextTakeover && !read.serverNoContextTakeover) {
    throw new SyntaxError('permessage-deflate: the answer must have server_no_context_takeover, which was requested');
  }
  // §7.1.2.1: "by including [it] in the corresponding extension negotiation response [...] with the same or smaller value"
  const serverMaxWindowBits = read.serverMaxWindowBits ?? 15;
  if (serverMaxWindowBits > wanted.serverMaxWindowBits) {
    const allowed = `at most ${wanted.serverMaxWindowBits}, as requested`;
    throw new SyntaxError(`permessage-deflate: server_max_window_bits must be ${allowed}, got ${serverMaxWindowBits}`);
  }
  // §7.1.2.2: only an offer may omit its value
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

/** Whether the answer can only belong to the offer without parameters. */
function isPlainAnswer(read: ReadParameters, { serverNoContextTakeover, takesServerContext }: WantedDeflate): boolean {
  return takesServerContext === true && serverNoContextTakeover && !read.serverNoContextTakeover;
}

function readPlainAnswer(read: ReadParameters, wanted: DeflateParameters): DeflateParameters {
  // §7.1.2.2: "If a received extension negotiation offer doesn't have the 'client_max_window_bits' extension parameter, the
  // corresponding extension negotiation response to the offer MUST NOT include the 'client_max_window_bits' extension parameter."
  if (read.clientMaxWindowBits !== undefined) {
    throw new SyntaxError(
      'permessage-deflate: an answer with client_max_window_bits must have server_no_context_takeover, which was requested with it',
    );
  }
  return {
    serverNoContextTakeover: false,
    // Regardless of the agreement, an end may reset its own window, or use a smaller one.
    clientNoContextTakeover: read.clientNoContextTakeover || wanted.clientNoContextTakeover,
    serverMaxWindowBits: read.serverMaxWindowBits ?? 15,
    clientMaxWindowBits: wanted.clientMaxWindowBits,
  };
}

function accept(read: ReadParameters, wanted: DeflateParameters): AcceptedDeflate | undefined {
  // §7.1.2.2: if the offer lacks it, the answer cannot request a smaller window from the client
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

/** @returns the parameters, or a message if a parameter is unknown, repeated, or has an invalid value. */
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
    if (values.length > 1) return `expected ${name} once, got it ${values.length} times`;
    if (!assign(read, name, value))
      return `got ${name}${value === true ? '' : `=${value}`}, which RFC 7692 §7.1 does not allow`;
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
