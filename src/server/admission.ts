import { checkFunction, checkInteger, checkNames } from '../base/check.js';
import { describe } from '../base/describe.js';
import { HookAnswerError } from '../base/hook-answer.js';
import { Slots } from '../base/slots.js';
import type { IncomingMessage } from '../connection/incoming-message.js';
import type { Place } from '../net/listener.js';
import type { UpgradeRequest } from '../net/upgrade-request.js';
import { isRejection, type Rejection, reject } from '../protocol/handshake/rejection.js';
import { addressKey } from './address-key.js';

/**
 * A limit on the connections under one key: the address of the client by default, or what `key` or `dataKey` returns.
 *
 * @typeParam Data what `authenticate` returned.
 */
export interface LimitByOptions<Data = unknown> {
  /** Most connections of one key, including handshakes in progress. One more gets 429. */
  readonly max: number;
  /**
   * Returns the key of a connection from its request; `undefined` if it is not counted. Called before everything else that looks at
   * the request. If it throws or returns anything else, the answer is 500. @default the address of the client
   */
  readonly key?: (request: IncomingMessage) => string | undefined;
  /**
   * Returns the key of a connection from what `authenticate` returned; `undefined` if it is not counted. Called after `authenticate`,
   * when a peer has already cost a handshake and that hook: limit addresses as well. If it throws or returns anything else, the
   * answer is 500. @default the address of the client
   */
  dataKey?(data: Data, request: IncomingMessage): string | undefined;
  /**
   * Length in bits of the IPv6 prefix that counts as one client: providers give each customer a network, 64 bits or shorter. 128 counts
   * each address by itself. Only without `key` and `dataKey`. @default 64
   */
  readonly prefix6?: number;
}

/** Checked connection limits. */
export interface AdmissionLimits {
  readonly maxConnections: number | undefined;
  readonly limitBy: readonly LimitByOptions[];
}

const MAX_COUNT = 2 ** 31 - 1;

/** @throws TypeError or RangeError that names the option, what was found and what is allowed. */
export function admissionLimits(
  maxConnections: number | undefined,
  limitBy: LimitByOptions | readonly LimitByOptions[] | undefined,
): AdmissionLimits {
  if (maxConnections !== undefined) checkInteger('maxConnections', maxConnections, 1, MAX_COUNT);
  if (limitBy === undefined) return { maxConnections, limitBy: [] };
  const limits: readonly unknown[] = Array.isArray(limitBy) ? limitBy : [limitBy];
  if (limits.length === 0) throw new TypeError('limitBy must have at least one limit, got an empty list');
  return { maxConnections, limitBy: limits.map(checkedLimit) };
}

function checkedLimit(limit: unknown): LimitByOptions {
  if (typeof limit !== 'object' || limit === null) {
    throw new TypeError(
      `limitBy must be { max, key, dataKey, prefix6 } or a list of such limits, got ${describe(limit)}`,
    );
  }
  checkNames(limit, ['max', 'key', 'dataKey', 'prefix6'], 'limitBy.');
  const { max, key, dataKey, prefix6 } = limit as LimitByOptions;
  checkInteger('limitBy.max', max, 1, MAX_COUNT);
  checkFunction('limitBy.key', key);
  checkFunction('limitBy.dataKey', dataKey);
  if (prefix6 !== undefined) checkInteger('limitBy.prefix6', prefix6, 1, 128);
  const given = Object.entries({ key, dataKey, prefix6 }).filter(([, value]) => value !== undefined);
  if (given.length > 1) {
    const [first, second] = given.map(([name]) => `limitBy.${name}`);
    throw new TypeError(`${first} cannot be combined with ${second}: give limitBy a list for several limits`);
  }
  return limit as LimitByOptions;
}

/** Seconds after which a refused client may retry. Clients with `reconnect` spread their attempts after that. */
const RETRY_AFTER = { 'Retry-After': '5' };
const full = reject(503, undefined, RETRY_AFTER, 'The server has reached its connection limit.');
const tooMany = reject(429, undefined, RETRY_AFTER, 'This client has reached its connection limit.');

/** A limit. It takes a place under the key of a `subject`, or none if the key is undefined. */
interface Limit<Subject> {
  readonly slots: Slots;
  readonly refusal: Rejection;
  readonly keyOf: (subject: Subject) => string | undefined;
}

interface Authenticated {
  readonly data: unknown;
  readonly request: IncomingMessage;
}

/**
 * Admits or refuses connections by their number: in total (503), and per client (429). A transport counts from its first sight until
 * it is closed: handshakes in progress, open connections, and closing ones.
 *
 * A place is taken as soon as its key is known: by address when a peer connects, by `key` when the request arrives, by `dataKey` when
 * `authenticate` has answered.
 */
export class Admission {
  readonly #byAddress: readonly Limit<string | undefined>[];
  readonly #byRequest: readonly Limit<IncomingMessage>[];
  readonly #byData: readonly Limit<Authenticated>[];

  constructor({ maxConnections, limitBy }: AdmissionLimits) {
    const all =
      maxConnections === undefined ? [] : [{ slots: new Slots(maxConnections), refusal: full, keyOf: () => '' }];
    this.#byAddress = [...all, ...limitBy.flatMap(addressLimit)];
    this.#byRequest = limitBy.flatMap(requestLimit);
    this.#byData = limitBy.flatMap(dataLimit);
  }

  /** A peer has connected, and only its address is known. */
  admitAddress(address: string | undefined): Place | Rejection {
    return take(this.#byAddress, keysOf(this.#byAddress, address));
  }

  /**
   * A peer requests a WebSocket. Takes the places that were not taken when it connected.
   *
   * @throws what `limitBy.key` throws, or a HookAnswerError for an invalid key.
   */
  admit(upgrade: UpgradeRequest): Place | Rejection {
    const { remoteAddress, isAdmitted } = upgrade;
    if (this.#byRequest.length === 0) return isAdmitted ? nothing : this.admitAddress(remoteAddress);
    const keys = keysOf(this.#byRequest, upgrade.request);
    const early = isAdmitted ? nothing : this.admitAddress(remoteAddress);
    if (isRejection(early)) return early;
    const late = take(this.#byRequest, keys);
    if (isRejection(late)) early();
    return isRejection(late) ? late : leaving([early, late]);
  }

  /** Whether any limit depends on what `authenticate` returned. */
  get knowsData(): boolean {
    return this.#byData.length > 0;
  }

  /**
   * `authenticate` has returned `data`.
   *
   * @throws what `limitBy.dataKey` throws, or a HookAnswerError for an invalid key.
   */
  admitData(data: unknown, request: IncomingMessage): Place | Rejection {
    return take(this.#byData, keysOf(this.#byData, { data, request }));
  }
}

/** Returns undefined if nothing is limited. */
export function admissionOf(limits: AdmissionLimits): Admission | undefined {
  return limits.maxConnections === undefined && limits.limitBy.length === 0 ? undefined : new Admission(limits);
}

function addressLimit({ max, key, dataKey, prefix6 = 64 }: LimitByOptions): Limit<string | undefined>[] {
  if (key !== undefined || dataKey !== undefined) return [];
  const keyOf = (address: string | undefined): string | undefined =>
    address === undefined ? undefined : addressKey(address, prefix6);
  return [{ slots: new Slots(max), refusal: tooMany, keyOf }];
}

function requestLimit({ max, key }: LimitByOptions): Limit<IncomingMessage>[] {
  if (key === undefined) return [];
  return [{ slots: new Slots(max), refusal: tooMany, keyOf: (request) => checkedKey('limitBy.key', key(request)) }];
}

function dataLimit(limit: LimitByOptions): Limit<Authenticated>[] {
  if (limit.dataKey === undefined) return [];
  const keyOf = ({ data, request }: Authenticated): string | undefined =>
    checkedKey('limitBy.dataKey', limit.dataKey?.(data, request));
  return [{ slots: new Slots(limit.max), refusal: tooMany, keyOf }];
}

/** Computes all keys before a place is taken, since this may throw. */
function keysOf<Subject>(limits: readonly Limit<Subject>[], subject: Subject): (string | undefined)[] {
  return limits.map(({ keyOf }) => keyOf(subject));
}

/** Takes a place of each limit, or no place at all if one of the limits is reached. */
function take(limits: readonly Limit<never>[], keys: readonly (string | undefined)[]): Place | Rejection {
  const places: Place[] = [];
  for (const [index, { slots, refusal }] of limits.entries()) {
    const key = keys[index];
    const place = key === undefined ? nothing : slots.take(key);
    if (place === undefined) {
      leaving(places)();
      return refusal;
    }
    places.push(place);
  }
  return leaving(places);
}

/** The place of a connection that is not counted. */
const nothing: Place = () => {};

/** Joins places. The result lives as long as its connection, so a single place is returned as it is. */
function leaving(places: readonly Place[]): Place {
  const taken = places.filter((place) => place !== nothing);
  if (taken.length < 2) return taken[0] ?? nothing;
  return () => {
    for (const leave of taken) leave();
  };
}

function checkedKey(hook: string, key: unknown): string | undefined {
  if (key === undefined || typeof key === 'string') return key;
  throw new HookAnswerError({ hook, found: key, advice: 'return a string or undefined' });
}
