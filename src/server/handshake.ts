import { defer, from, map, NEVER, type Observable, of, switchMap, take, throwIfEmpty } from 'rxjs';
import { HookAnswerError, isObservableLike, isThenable } from '../base/hook-answer.js';
import { isError } from '../base/thrown.js';
import type { UpgradeRequest } from '../net/upgrade-request.js';
import { extensionsObject } from '../protocol/handshake/extensions.js';
import { fieldValue } from '../protocol/handshake/header-fields.js';
import { judgesOrigin, originRefusal } from '../protocol/handshake/origin-policy.js';
import { readUpgradeRequest, type UpgradeOffer } from '../protocol/handshake/read-request.js';
import { isRejection, reject } from '../protocol/handshake/rejection.js';
import type { Admission } from './admission.js';
import type { AcceptSettings, Answer, ClientInfo } from './server-options.js';

/** A handshake that all hooks agreed to. */
export interface Decision {
  readonly offer: UpgradeOffer;
  readonly data: unknown;
  readonly protocol: string | undefined;
}

/**
 * What a handshake offers, if its form and its origin are right.
 *
 * @throws Rejection to send otherwise, or what a predicate of `origins` threw.
 */
export function readOffer(upgrade: UpgradeRequest, settings: AcceptSettings): UpgradeOffer {
  const offer = readUpgradeRequest(upgrade.head);
  if (isRejection(offer)) throw offer;
  checkOrigin(upgrade, offer, settings);
  return offer;
}

/** The decision where no hook is asked. Most servers have none, and Observables of what is known cost a handshake a tenth. */
export function decideAtOnce(offer: UpgradeOffer, settings: AcceptSettings): Decision | undefined {
  const { verifyClient, authenticate, handleProtocols } = settings;
  const asksHooks =
    verifyClient !== undefined ||
    authenticate !== undefined ||
    (handleProtocols !== undefined && offer.protocols.length > 0);
  return asksHooks ? undefined : { offer, data: undefined, protocol: undefined };
}

/** What hooks are asked with, beside the handshake itself. */
export interface Asking {
  /** Aborts when the handshake ends without a connection. Made only for `authenticate`. */
  readonly signal: AbortSignal | undefined;
  /** For limits that need to know who the client is; nothing where all may come in. */
  readonly admission: Admission | undefined;
}

/**
 * Asks the hooks in their order. Emits once, synchronously when the hooks are. Errors with the `Rejection` to send, or with whatever
 * a hook threw.
 */
export function askHooks(
  upgrade: UpgradeRequest,
  offer: UpgradeOffer,
  settings: AcceptSettings,
  asking: Asking,
): Observable<Decision> {
  return defer(() =>
    verify(upgrade, offer, settings).pipe(
      switchMap(() => authenticate(upgrade, settings, asking)),
      switchMap((data) =>
        chooseProtocol(upgrade, offer, settings, data).pipe(switchMap((protocol) => of({ offer, data, protocol }))),
      ),
    ),
  );
}

function checkOrigin(upgrade: UpgradeRequest, { origin, host }: UpgradeOffer, { origins }: AcceptSettings): void {
  if (!judgesOrigin(origins, origin)) return;
  const { rawHeaders } = upgrade.head;
  const hasCredentials =
    fieldValue(rawHeaders, 'cookie') !== undefined ||
    fieldValue(rawHeaders, 'authorization') !== undefined ||
    upgrade.hasClientCertificate;
  const secFetchSite = fieldValue(rawHeaders, 'sec-fetch-site');
  const refusal = originRefusal(origins, {
    origin,
    host,
    hasCredentials,
    // Asked for only where it matters: the socket would keep it.
    get localAddress() {
      return upgrade.localAddress;
    },
    secure: upgrade.secure,
    secFetchSite,
  });
  if (refusal !== undefined) throw refusal;
}

function verify(upgrade: UpgradeRequest, offer: UpgradeOffer, { verifyClient }: AcceptSettings): Observable<void> {
  if (verifyClient === undefined) return of(undefined);
  const { secure, request, remoteAddress } = upgrade;
  const { origin, protocols, extensions } = offer;
  const info: ClientInfo = {
    origin,
    secure,
    request,
    protocols,
    extensions: extensionsObject(extensions),
    remoteAddress,
  };
  return firstAnswer('verifyClient', verifyClient(info)).pipe(
    switchMap((verdict) => {
      if (isRejection(verdict)) throw verdict;
      if (verdict === false) throw reject(401);
      if (verdict === true) return of(undefined);
      throw new HookAnswerError({
        hook: 'verifyClient',
        found: verdict,
        advice: 'return true, false or reject(...), or a Promise or Observable of one of these',
      });
    }),
  );
}

function authenticate(
  upgrade: UpgradeRequest,
  { authenticate: hook }: AcceptSettings,
  { signal, admission }: Asking,
): Observable<unknown> {
  if (hook === undefined || signal === undefined) return of(undefined);
  // The hook before may have ended the server. A signal that has aborted already would release nothing.
  if (signal.aborted) return NEVER;
  return defer(() => firstAnswer('authenticate', hook(upgrade.request, { signal }))).pipe(
    map((data) => {
      if (isRejection(data)) throw data;
      checkData(data);
      if (admission?.knowsData === true) admitData(admission, upgrade, data);
      return data;
    }),
  );
}

/** No value that a hook returns by mistake lets a client in: nothing at all, a failure, or an answer that is not there yet. */
function checkData(found: unknown): void {
  const hook = 'authenticate';
  if (found === undefined || found === null || found === false) {
    throw new HookAnswerError({ hook, found, status: 401, advice: 'return a value, for example true' });
  }
  if (isError(found)) throw new HookAnswerError({ hook, found, advice: 'throw it, or return reject(...)' });
  if (isThenable(found) || isObservableLike(found)) {
    throw new HookAnswerError({ hook, found, advice: 'flatten it: it came within a Promise or an Observable' });
  }
}

/** Takes the place of the client that was found out, for as long as its transport lives. */
function admitData(admission: Admission, upgrade: UpgradeRequest, data: unknown): void {
  const place = admission.admitData(data, upgrade.request);
  if (isRejection(place)) throw place;
  upgrade.whenClosed(place);
}

function chooseProtocol(
  upgrade: UpgradeRequest,
  { protocols }: UpgradeOffer,
  { handleProtocols }: AcceptSettings,
  data: unknown,
): Observable<string | undefined> {
  if (handleProtocols === undefined || protocols.length === 0) return of(undefined);
  return firstAnswer('handleProtocols', handleProtocols([...protocols], upgrade.request, data)).pipe(
    switchMap((protocol) => {
      if (protocol === false) throw reject(401);
      // §4.2.2: the chosen value "MUST be derived from the client's handshake"
      if (protocol === undefined || protocols.includes(protocol)) return of(protocol);
      throw new HookAnswerError({
        hook: 'handleProtocols',
        found: protocol,
        advice: 'return a subprotocol that the client offers, undefined or false',
      });
    }),
  );
}

/** The first value of a hook's answer, at once when it is there at once. Errors when there is none. */
function firstAnswer<T>(hook: string, answer: Answer<T>): Observable<T> {
  const values = isSource(answer) ? from(answer) : of(answer);
  return values.pipe(
    take(1),
    throwIfEmpty(() => new TypeError(`${hook} must return an Observable with at least one value, got an empty one`)),
  );
}

function isSource<T>(answer: Answer<T>): answer is PromiseLike<T> | Observable<T> {
  return isThenable(answer) || isObservableLike(answer);
}
