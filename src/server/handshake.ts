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
import { complainOfOrigin } from './complaints.js';
import type { AcceptSettings, Answer, ClientInfo } from './server-options.js';

/** A handshake that all hooks have accepted. */
export interface Decision {
  readonly offer: UpgradeOffer;
  readonly data: unknown;
  readonly protocol: string | undefined;
}

/**
 * Reads what a handshake offers, and checks its form and origin.
 *
 * @throws Rejection to send if one of them is wrong, or what a predicate of `origins` threw.
 */
export function readOffer(upgrade: UpgradeRequest, settings: AcceptSettings): UpgradeOffer {
  const offer = readUpgradeRequest(upgrade.head);
  if (isRejection(offer)) throw offer;
  checkOrigin(upgrade, offer, settings);
  return offer;
}

/** Decides without hooks; undefined if there are any. Most servers have none, and Observables would add a tenth to the handshake's cost. */
export function decideAtOnce(offer: UpgradeOffer, settings: AcceptSettings): Decision | undefined {
  const { verifyClient, authenticate, handleProtocols } = settings;
  const asksHooks =
    verifyClient !== undefined ||
    authenticate !== undefined ||
    (handleProtocols !== undefined && offer.protocols.length > 0);
  return asksHooks ? undefined : { offer, data: undefined, protocol: offer.protocols[0] };
}

/** What calling the hooks needs, apart from the handshake itself. */
export interface Asking {
  /** Aborts when the handshake ends without a connection. Made only for `authenticate`. */
  readonly signal: AbortSignal | undefined;
  /** For limits that depend on the identity of the client; undefined without limits. */
  readonly admission: Admission | undefined;
  /** The hook that was called last: the one at fault if the handshake fails or takes too long. */
  hook: string;
}

/**
 * Calls the hooks in order. Emits once, synchronously if the hooks are synchronous. Errors with the `Rejection` to send, or with what
 * a hook threw.
 */
export function askHooks(
  upgrade: UpgradeRequest,
  offer: UpgradeOffer,
  settings: AcceptSettings,
  asking: Asking,
): Observable<Decision> {
  return defer(() =>
    verify(upgrade, offer, settings, asking).pipe(
      switchMap(() => authenticate(upgrade, settings, asking)),
      switchMap((data) =>
        chooseProtocol(upgrade, offer, { settings, asking, data }).pipe(
          switchMap((protocol) => of({ offer, data, protocol })),
        ),
      ),
    ),
  );
}

function checkOrigin(upgrade: UpgradeRequest, { origin, host }: UpgradeOffer, settings: AcceptSettings): void {
  const { origins } = settings;
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
    // Read only if needed: the socket would cache it.
    get localAddress() {
      return upgrade.localAddress;
    },
    secure: upgrade.secure,
    secFetchSite,
  });
  if (refusal === undefined) return;
  if (settings.origins === 'auto' && origin !== undefined) complainOfOrigin(settings.place, origin, host);
  throw refusal;
}

function verify(
  upgrade: UpgradeRequest,
  offer: UpgradeOffer,
  { verifyClient }: AcceptSettings,
  asking: Asking,
): Observable<void> {
  if (verifyClient === undefined) return of(undefined);
  asking.hook = 'verifyClient';
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
  asking: Asking,
): Observable<unknown> {
  const { signal, admission } = asking;
  if (hook === undefined || signal === undefined) return of(undefined);
  // The previous hook may have ended the server. A signal that is already aborted would release nothing.
  if (signal.aborted) return NEVER;
  asking.hook = 'authenticate';
  return defer(() => firstAnswer('authenticate', hook(upgrade.request, { signal }))).pipe(
    map((data) => {
      if (isRejection(data)) throw data;
      checkData(data);
      if (admission?.knowsData !== true) return data;
      asking.hook = 'limitBy.dataKey';
      admitData(admission, upgrade, data);
      return data;
    }),
  );
}

/** Rejects values that a hook returns by mistake and that must not admit a client: no value, an error, or a pending answer. */
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

/** Takes the place of the authenticated client, for as long as its transport lives. */
function admitData(admission: Admission, upgrade: UpgradeRequest, data: unknown): void {
  const place = admission.admitData(data, upgrade.request);
  if (isRejection(place)) throw place;
  upgrade.whenClosed(place);
}

function chooseProtocol(
  upgrade: UpgradeRequest,
  { protocols }: UpgradeOffer,
  { settings: { handleProtocols }, asking, data }: { settings: AcceptSettings; asking: Asking; data: unknown },
): Observable<string | undefined> {
  // §4.1 (10): the first is the one that the client prefers. Without an answer, browsers fail the connection.
  if (handleProtocols === undefined || protocols.length === 0) return of(protocols[0]);
  asking.hook = 'handleProtocols';
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

/** Emits the first value of a hook's answer, synchronously if it is available. Errors if there is none. */
function firstAnswer<T>(hook: string, answer: Answer<T>): Observable<T> {
  const values = isSource(answer) ? from(answer) : of(answer);
  return values.pipe(
    take(1),
    throwIfEmpty(() => {
      const advice = 'let it emit a value before it completes';
      return new HookAnswerError({ hook, found: answer, name: 'an Observable without a value', advice });
    }),
  );
}

function isSource<T>(answer: Answer<T>): answer is PromiseLike<T> | Observable<T> {
  return isThenable(answer) || isObservableLike(answer);
}
