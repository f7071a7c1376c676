import { addressKey } from '../protocol/address-key.js';
import { isRejection, type Rejection, reject } from '../protocol/rejection.js';
import { Slots } from '../protocol/slots.js';
import type { IncomingMessage } from '../transport/incoming-message.js';
import type { Place } from '../transport/listener.js';
import type { UpgradeRequest } from '../transport/upgrade-request.js';
import { checkFunction, checkInteger, checkNames } from './check.js';
import { describe } from './outgoing.js';

/** How many connections may be open under one key. */
export interface LimitByOptions {
  /** Most connections of one key, those in their handshake included. One more gets 429. */
  readonly max: number;
  /**
   * Whose connection it is; `undefined` for one that does not count. Called before everything else that looks at the request; one
   * that throws, or gives anything else, is answered with 500. @default the address of the client
   */
  readonly key?: (request: IncomingMessage) => string | undefined;
  /**
   * So many bits of an IPv6 address count as one client: providers give each customer a network, 64 bits or shorter. 128 tells single
   * addresses apart. Only without `key`. @default 64
   */
  readonly prefix6?: number;
}

/** The limits of connections, checked. */
export interface AdmissionLimits {
  readonly maxConnections: number | undefined;
  readonly limitBy: CheckedLimitBy | undefined;
}

interface CheckedLimitBy {
  readonly max: number;
  readonly key: ((request: IncomingMessage) => string | undefined) | undefined;
  readonly prefix6: number;
}

const MAX_COUNT = 2 ** 31 - 1;

/** @throws TypeError or RangeError that names the option, what was found and what is allowed. */
export function admissionLimits(
  maxConnections: number | undefined,
  limitBy: LimitByOptions | undefined,
): AdmissionLimits {
  if (maxConnections !== undefined) checkInteger('maxConnections', maxConnections, 1, MAX_COUNT);
  return { maxConnections, limitBy: limitBy === undefined ? undefined : checkedLimitBy(limitBy) };
}

function checkedLimitBy(limitBy: LimitByOptions): CheckedLimitBy {
  if (typeof limitBy !== 'object' || limitBy === null) {
    throw new TypeError(`limitBy is ${describe(limitBy)}, allowed is { max, key, prefix6 }`);
  }
  checkNames(limitBy, ['max', 'key', 'prefix6'], 'limitBy.');
  const { max, key, prefix6 } = limitBy;
  checkInteger('limitBy.max', max, 1, MAX_COUNT);
  checkFunction('limitBy.key', key);
  if (key !== undefined && prefix6 !== undefined) {
    throw new TypeError('found limitBy.prefix6 beside limitBy.key, allowed is one of them');
  }
  return { max, key, prefix6: checkInteger('limitBy.prefix6', prefix6 ?? 64, 1, 128) };
}

/** Seconds after which a refused client may ask again. Those of `reconnect` spread behind it. */
const RETRY_AFTER = { 'Retry-After': '5' };
const full = reject(503, undefined, RETRY_AFTER, 'The server has as many connections as it may.');
const tooMany = reject(429, undefined, RETRY_AFTER, 'This client has as many connections as it may.');

/**
 * Says who may come in, by how many are there: in all (503), and of one client (429). What counts is the transport, from the moment
 * that it is seen until it is gone: handshakes in progress, open connections, and closing ones.
 */
export class Admission {
  readonly #all: Slots | undefined;
  readonly #byKey: Slots | undefined;
  readonly #key: CheckedLimitBy['key'];
  readonly #prefix6: number;

  constructor({ maxConnections, limitBy }: AdmissionLimits) {
    this.#all = maxConnections === undefined ? undefined : new Slots(maxConnections);
    this.#byKey = limitBy === undefined ? undefined : new Slots(limitBy.max);
    this.#key = limitBy?.key;
    this.#prefix6 = limitBy?.prefix6 ?? 128;
  }

  /** A peer has connected, and nothing is known of it but its address. */
  admitAddress(address: string | undefined): Place | Rejection {
    return this.#take(this.#all, this.#key === undefined ? this.#addressKey(address) : undefined);
  }

  /**
   * A peer asks for a WebSocket. Takes what it did not take when it connected.
   *
   * @throws what `limitBy.key` throws, or a TypeError for what it gives.
   */
  admit(upgrade: UpgradeRequest): Place | Rejection {
    const { remoteAddress, isAdmitted } = upgrade;
    if (this.#key === undefined) return isAdmitted ? () => {} : this.admitAddress(remoteAddress);
    return this.#take(isAdmitted ? undefined : this.#all, checkedKey(this.#key(upgrade.request)));
  }

  #take(all: Slots | undefined, key: string | undefined): Place | Rejection {
    const leave = all?.take('') ?? (all === undefined ? () => {} : full);
    if (isRejection(leave) || key === undefined || this.#byKey === undefined) return leave;
    const leaveKey = this.#byKey.take(key);
    if (leaveKey === undefined) {
      leave();
      return tooMany;
    }
    return () => {
      leave();
      leaveKey();
    };
  }

  #addressKey(address: string | undefined): string | undefined {
    return address === undefined ? undefined : addressKey(address, this.#prefix6);
  }
}

/** Where nothing is limited there is nothing to ask. */
export function admissionOf(limits: AdmissionLimits): Admission | undefined {
  return limits.maxConnections === undefined && limits.limitBy === undefined ? undefined : new Admission(limits);
}

function checkedKey(key: unknown): string | undefined {
  if (key === undefined || typeof key === 'string') return key;
  throw new TypeError(`limitBy.key gave ${describe(key)}, allowed are a string and undefined`);
}
