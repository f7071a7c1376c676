/** What is fuzzed without a network: each takes one input, gives what came of it, and throws when that is not documented. */
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import {
  acceptDeflate,
  type DeflateParameters,
  deflateOffer,
  readDeflateAnswer,
} from '../../src/protocol/deflate/deflate-negotiation.js';
import { MessageInflater } from '../../src/protocol/deflate/message-inflater.js';
import { HandshakeError, ProtocolError } from '../../src/protocol/errors.js';
import type { Role } from '../../src/protocol/frame/opcode.js';
import {
  type ExtensionOffer,
  extensionsObject,
  formatExtensions,
  parseExtensions,
} from '../../src/protocol/handshake/extensions.js';
import { isToken } from '../../src/protocol/handshake/header-fields.js';
import { originRefusal } from '../../src/protocol/handshake/origin-policy.js';
import { readUpgradeRequest } from '../../src/protocol/handshake/read-request.js';
import { readUpgradeResponse } from '../../src/protocol/handshake/read-response.js';
import { isRejection } from '../../src/protocol/handshake/rejection.js';
import { parseSubprotocols } from '../../src/protocol/handshake/subprotocols.js';
import { binary, continuation, type Frame, fragments, ping, text, wire } from '../support/frames.js';
import { endOfConversation } from './conversation.js';
import { handshakeErrors, protocolErrors, refusals } from './documented.js';

/** Something that reads what a peer sends. */
export interface Target {
  readonly name: string;
  /** Its seeds. */
  readonly corpus: string;
  /** Pieces that mean something to it. */
  readonly dictionary: readonly string[];
  /** Inputs that are made to be slow, where there are any. */
  readonly slow?: readonly Buffer[];
  /** Gives the outcome in a word. Throws for one that is not documented, or that contradicts the input. */
  run(input: Buffer): string;
}

/** The key whose accept value stands in the seeds as `{accept}`. RFC 6455 §1.3. */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

const keepsContext: DeflateParameters = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
};
const forgets: DeflateParameters = { ...keepsContext, serverNoContextTakeover: true, clientNoContextTakeover: true };

/** Limits that small inputs reach. */
const small = { maxPayload: 2_000, maxFragments: 6 } as const;

const headerWords = [
  '\r\n',
  '\r\n\r\n',
  ':',
  ',',
  ';',
  '=',
  '"',
  '\\',
  ' ',
  '\t',
  '\0',
  '\r',
  '\n',
  'GET',
  'HTTP/1.1',
  'Upgrade',
  'websocket',
  'Connection',
  'Sec-WebSocket-Key: ',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Extensions: ',
  'Sec-WebSocket-Protocol: ',
  'permessage-deflate',
  'client_max_window_bits',
  'server_max_window_bits=',
  'Content-Length: 1',
  'Transfer-Encoding: chunked',
  'Origin: ',
  'Host: ',
  '[::1]',
  '__proto__',
  '101',
  '999',
  '\xff',
  '8',
  '15',
  '16',
];

const frameBytes = [
  '\x81',
  '\x82',
  '\x80',
  '\x88',
  '\x89',
  '\x8a',
  '\x01',
  '\x00',
  '\xc1',
  '\x41',
  '\x7e',
  '\x7f',
  '\xfe',
  '\xff',
  '\x80\x00\x00\x00\x00',
];

export const requests: Target = {
  name: 'requests of handshakes',
  corpus: 'requests.txt',
  dictionary: headerWords,
  run(input) {
    const { line, rawHeaders } = headOf(input);
    const [method = '', path = '', version = ''] = line.split(' ');
    const head = { method, path, httpVersion: version.replace('HTTP/', ''), rawHeaders };
    const offer = readUpgradeRequest(head, { versions: [13, 8] });
    if (isRejection(offer)) return documentedStatus(offer.status);
    if (method !== 'GET' || offer.key.length !== 24) throw new Error(`accepted ${method} with the key ${offer.key}`);
    const { host, origin } = offer;
    const refusal = originRefusal('auto', {
      origin,
      host,
      hasCredentials: true,
      localAddress: '127.0.0.1',
      secure: false,
      secFetchSite: undefined,
    });
    if (refusal !== undefined) return documentedStatus(refusal.status);
    extensionsObject(offer.extensions);
    checkAnswer(offer.extensions);
    return 'accepted';
  },
};

export const responses: Target = {
  name: 'answers to handshakes',
  corpus: 'responses.txt',
  dictionary: headerWords,
  run(input) {
    const { line, rawHeaders } = headOf(Buffer.from(input.toString('latin1').replaceAll('{accept}', ACCEPT), 'latin1'));
    const [version = '', status = ''] = line.split(' ');
    const head = { status: Number.parseInt(status, 10), httpVersion: version.replace('HTTP/', ''), rawHeaders };
    const offer = { key: KEY, protocols: ['chat'], extensions: [deflateOffer(forgets)] };
    try {
      const { extensions } = readUpgradeResponse(head, offer);
      for (const answer of extensions) if (!isDeflateAnswer(answer)) return 'EXTENSION_INVALID';
      return 'accepted';
    } catch (error) {
      if (error instanceof HandshakeError && handshakeErrors.has(error.code)) return error.code;
      throw error;
    }
  },
};

export const extensionHeaders: Target = {
  name: 'Sec-WebSocket-Extensions',
  corpus: 'extensions.txt',
  dictionary: headerWords,
  run(input) {
    const offers = parsed(() => parseExtensions(input.toString('latin1')));
    if (offers === undefined) return 'refused';
    const again = parseExtensions(formatExtensions(offers));
    if (JSON.stringify(plain(again)) !== JSON.stringify(plain(offers))) throw new Error('written otherwise than read');
    extensionsObject(offers);
    return checkAnswer(offers) ? 'accepted' : 'declined';
  },
};

export const protocolHeaders: Target = {
  name: 'Sec-WebSocket-Protocol',
  corpus: 'protocols.txt',
  dictionary: headerWords,
  run(input) {
    const protocols = parsed(() => parseSubprotocols([input.toString('latin1')]));
    if (protocols === undefined) return 'refused';
    const areRight = protocols.every(isToken) && new Set(protocols).size === protocols.length && protocols.length > 0;
    if (!areRight) throw new Error(`accepted ${protocols}`);
    return 'accepted';
  },
};

/** Frames of the peer of an end in `role`. */
function framesTo(role: Role, deflate: DeflateParameters | undefined, limits: Partial<typeof small>): Target {
  return {
    name: `frames to a ${role}${deflate === undefined ? '' : ', compressed'}${deflate === keepsContext ? ' with context' : ''}`,
    corpus: 'frames.hex',
    dictionary: frameBytes,
    run(input) {
      const { error, code, wasClean } = endOfConversation(input, { role, deflate, ...limits });
      if (error instanceof ProtocolError) return documentedFailure(error, code);
      return wasClean ? 'closed' : 'lost';
    },
  };
}

/** Compressed data, behind a message that left its window. */
function deflateData(parameters: DeflateParameters, maxPayload: number): Target {
  return {
    name: `compressed data${parameters === keepsContext ? ' with context' : ''}`,
    corpus: 'deflate.hex',
    dictionary: [
      '\x00',
      '\x01',
      '\x00\x00\xff\xff',
      '\x03\x00',
      '\xff',
      '\x00\x05\x00\xfa\xff',
      '\xf2\x48\xcd\xc9\xc9\x07\x00',
    ],
    run(input) {
      const inflater = new MessageInflater(parameters, 'server', maxPayload);
      const before = inflater.inflate(Buffer.from('f248cdc9c90700', 'hex'));
      let text: Buffer;
      try {
        text = inflater.inflate(input);
      } catch (error) {
        if (error instanceof ProtocolError) return documentedFailure(error, error.closeCode);
        throw error;
      }
      if (text.length > maxPayload) throw new Error(`inflated to ${text.length} bytes`);
      if (!isSame(text, input, parameters === keepsContext ? before : undefined))
        throw new Error('inflated to something else');
      return 'inflated';
    },
  };
}

/** Whether zlib, asked as most implementations ask it, begins with the same text: it stops at the first BFINAL. */
function isSame(text: Buffer, input: Buffer, dictionary: Buffer | undefined): boolean {
  const body = Buffer.concat([input, Buffer.from('0000ffff', 'hex')]);
  const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: Math.max(1, text.length) };
  const expected = inflateRawSync(body, dictionary === undefined ? options : { ...options, dictionary });
  return text.subarray(0, expected.length).equals(expected);
}

/** With limits that small inputs reach. */
export const targets: readonly Target[] = [
  requests,
  responses,
  extensionHeaders,
  protocolHeaders,
  framesTo('server', undefined, small),
  framesTo('client', undefined, small),
  framesTo('server', forgets, small),
  framesTo('server', keepsContext, small),
  framesTo('client', keepsContext, small),
  deflateData(forgets, small.maxPayload),
  deflateData(keepsContext, small.maxPayload),
];

const LARGE = 65_000;
const emptyBlocks = Buffer.alloc(LARGE, Buffer.from('000000ffff', 'hex'));
const bomb = deflateRawSync(Buffer.alloc(1_048_576), { level: 9, finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
const largeText = Buffer.alloc(LARGE, 'd\u00e9j\u00e0 vu \u{1f600}');
const slowFrames = [
  wire('server', Array<Frame>(9_000).fill(text())),
  wire('server', Array<Frame>(9_000).fill(ping('p'))),
  wire('server', [text('', { fin: false }), ...Array<Frame>(4_095).fill(continuation('', { fin: false }))]),
  wire('server', [text(largeText)]),
  wire('server', fragments(1, largeText, 67)),
];
const slowCompressed = [
  wire('server', [binary(bomb, { rsv: 4 })]),
  wire('server', [text(bomb, { rsv: 4 })]),
  wire('server', [binary(emptyBlocks, { rsv: 4 })]),
];

/** With the default limits: what one input can cost. */
export const costlyTargets: readonly Target[] = [
  ...targets.slice(0, 4),
  { ...framesTo('server', undefined, {}), slow: slowFrames },
  framesTo('client', undefined, {}),
  { ...framesTo('server', keepsContext, {}), slow: slowCompressed },
  { ...deflateData(keepsContext, 1_048_576), slow: [bomb, emptyBlocks] },
];

/** The first line and the fields of a head, as an HTTP parser gives them. */
function headOf(input: Buffer): { line: string; rawHeaders: string[] } {
  const [head = ''] = input.toString('latin1').split('\r\n\r\n');
  const [line = '', ...fields] = head.split('\r\n');
  const rawHeaders = fields.flatMap((field) => {
    const at = field.indexOf(':');
    return at <= 0 ? [] : [field.slice(0, at), field.slice(at + 1).replace(/^[ \t]+|[ \t]+$/g, '')];
  });
  return { line, rawHeaders };
}

function documentedStatus(status: number): string {
  if (!refusals.has(status)) throw new Error(`status ${status} is not documented`);
  return String(status);
}

function documentedFailure({ code }: ProtocolError, closeCode: number): string {
  if (protocolErrors.get(code)?.includes(closeCode) !== true)
    throw new Error(`${code} with ${closeCode} is not documented`);
  return code;
}

/** Whether there is an answer to the offers: one that can be written and read again. */
function checkAnswer(offers: readonly ExtensionOffer[]): boolean {
  const accepted = acceptDeflate(offers, forgets);
  if (accepted === undefined) return false;
  parseExtensions(formatExtensions([accepted.answer]));
  return true;
}

function isDeflateAnswer(answer: ExtensionOffer): boolean {
  return parsed(() => readDeflateAnswer(answer, forgets)) !== undefined;
}

/** What `read` gives; nothing when it finds the text malformed, with words that say so. */
function parsed<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof SyntaxError && error.message !== '') return undefined;
    throw error;
  }
}

function plain(offers: readonly ExtensionOffer[]): unknown {
  return offers.map(({ name, params }) => [name, [...params]]);
}
