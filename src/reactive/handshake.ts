import { defer, from, isObservable, Observable, of, switchMap, take, tap, throwIfEmpty } from 'rxjs';
import { extensionsObject } from '../protocol/extensions.js';
import { readUpgradeRequest, type UpgradeOffer } from '../protocol/handshake-request.js';
import { fieldValue } from '../protocol/header-fields.js';
import { judgesOrigin, originRefusal } from '../protocol/origin-policy.js';
import { isRejection, reject } from '../protocol/rejection.js';
import type { UpgradeRequest } from '../transport/upgrade-request.js';
import { describe } from './outgoing.js';
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

/**
 * Asks the hooks in their order. Emits once, synchronously when the hooks are. Errors with the `Rejection` to send, or with whatever
 * a hook threw.
 */
export function askHooks(upgrade: UpgradeRequest, offer: UpgradeOffer, settings: AcceptSettings): Observable<Decision> {
  return defer(() =>
    verify(upgrade, offer, settings).pipe(
      switchMap(() => authenticate(upgrade, settings)),
      switchMap((data) =>
        chooseProtocol(upgrade, offer, settings).pipe(switchMap((protocol) => of({ offer, data, protocol }))),
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
      throw new TypeError(`verifyClient gave ${describe(verdict)}, allowed are true, false and reject(...)`);
    }),
  );
}

function authenticate(upgrade: UpgradeRequest, settings: AcceptSettings): Observable<unknown> {
  if (settings.authenticate === undefined) return of(undefined);
  const hook = settings.authenticate;
  return defer(() => {
    const controller = new AbortController();
    const answer = hook(upgrade.request, { signal: controller.signal });
    return abortedWith(controller, firstAnswer('authenticate', answer));
  }).pipe(
    switchMap((data) => {
      if (isRejection(data)) throw data;
      return of(data);
    }),
  );
}

/** Aborts when the subscriber leaves before the answer is there. */
function abortedWith(controller: AbortController, answer: Observable<unknown>): Observable<unknown> {
  return new Observable((subscriber) => {
    let isSettled = false;
    subscriber.add(() => {
      if (!isSettled) controller.abort();
    });
    const settled = tap({ next: () => (isSettled = true), error: () => (isSettled = true) });
    subscriber.add(answer.pipe(settled).subscribe(subscriber));
  });
}

function chooseProtocol(
  upgrade: UpgradeRequest,
  { protocols }: UpgradeOffer,
  { handleProtocols }: AcceptSettings,
): Observable<string | undefined> {
  if (handleProtocols === undefined || protocols.length === 0) return of(undefined);
  return firstAnswer('handleProtocols', handleProtocols([...protocols], upgrade.request)).pipe(
    switchMap((protocol) => {
      if (protocol === false) throw reject(401);
      // §4.2.2: the chosen value "MUST be derived from the client's handshake"
      if (protocol === undefined || protocols.includes(protocol)) return of(protocol);
      throw new TypeError(
        `handleProtocols gave ${describe(protocol)}, allowed are ${protocols.join(', ')}, undefined and false`,
      );
    }),
  );
}

/** The first value of a hook's answer, at once when it is there at once. Errors when there is none. */
function firstAnswer<T>(hook: string, answer: Answer<T>): Observable<T> {
  const values = isObservable(answer) ? answer : isPromise(answer) ? from(answer) : of(answer);
  return values.pipe(
    take(1),
    throwIfEmpty(() => new TypeError(`${hook} gave an Observable without a value, allowed is one with at least one`)),
  );
}

function isPromise<T>(answer: T | PromiseLike<T>): answer is PromiseLike<T> {
  return typeof (answer as PromiseLike<T> | undefined)?.then === 'function';
}
