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
 * How many connections may be open under one key: by default the address of the client, else what `key` or `dataKey` says.
 *
 * @typeParam Data what `authenticate` returned.
 */
export interface LimitByOptions<Data = unknown> {
  /** Most connections of one key, those in their handshake included. One more gets 429. */
  readonly max: number;
  /**
   * Whose connection it is, told by its request; `undefined` for one that does not count. Called before everything else that looks at
   * the request. One that throws, or returns anything else, is answered with 500. @default the address of the client
   */
  readonly key?: (request: IncomingMessage) => string | undefined;
  /**
   * Whose connection it is, told by what `authenticate` returned; `undefined` for one that does not count. Called after `authenticate`,
   * so a peer has cost a handshake and that hook by then: limit addresses beside it. One that throws, or returns anything else, is
   * answered with 500. @default the address of the client
   */
  dataKey?(data: Data, request: IncomingMessage): string | undefined;
  /**
   * So many bits of an IPv6 address count as one client: providers give each customer a network, 64 bits or shorter. 128 tells single
   * addresses apart. Only without `key` and `dataKey`. @default 64
   */
  readonly prefix6?: number;
}

/** The limits of connections, checked. */
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

/** Seconds after which a refused client may ask again. Those of `reconnect` spread behind it. */
const RETRY_AFTER = { 'Retry-After': '5' };
const full = reject(503, undefined, RETRY_AFTER, 'The server has as many connections as it may.');
const tooMany = reject(429, undefined, RETRY_AFTER, 'This client has as many connections as it may.');

/** One limit. Under the key that it makes of a `subject` a place is taken, or none where that is undefined. */
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
 * Says who may come in, by how many are there: in all (503), and of one client (429). What counts is the transport, from the moment
 * that it is seen until it is gone: handshakes in progress, open connections, and closing ones.
 *
 * A limit is taken as soon as its key is known: that of the address when a peer connects, `key` with the request, `dataKey` when
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

  /** A peer has connected, and nothing is known of it but its address. */
  admitAddress(address: string | undefined): Place | Rejection {
    return take(this.#byAddress, keysOf(this.#byAddress, address));
  }

  /**
   * A peer asks for a WebSocket. Takes what it did not take when it connected.
   *
   * @throws what `limitBy.key` throws, or a HookAnswerError for what it returns.
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

  /** Whether there are limits by what `authenticate` returned. */
  get knowsData(): boolean {
    return this.#byData.length > 0;
  }

  /**
   * `authenticate` has returned `data`.
   *
   * @throws what `limitBy.dataKey` throws, or a HookAnswerError for what it returns.
   */
  admitData(data: unknown, request: IncomingMessage): Place | Rejection {
    return take(this.#byData, keysOf(this.#byData, { data, request }));
  }
}

/** Where nothing is limited there is nothing to ask. */
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

/** All keys before a place is taken: making them may throw. */
function keysOf<Subject>(limits: readonly Limit<Subject>[], subject: Subject): (string | undefined)[] {
  return limits.map(({ keyOf }) => keyOf(subject));
}

/** Takes a place of each limit, or of none where one of them has none left. */
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

/** The place of what counts nowhere. */
const nothing: Place = () => {};

/** Kept as long as a connection: one place needs no list. */
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
