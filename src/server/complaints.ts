import { excerpt } from '../base/excerpt.js';
import { isHookAnswerError } from '../base/hook-answer.js';
import { complain, originOf } from '../base/mistake.js';
import { report } from '../base/report.js';
import { isError, propertyOf } from '../base/thrown.js';
import type { UsageError } from '../protocol/errors.js';

/** Likely causes of a `TypeError` in a hook, where the hook of `ws` has other arguments. */
const HABITS: Readonly<Record<string, string>> = {
  verifyClient: '; what ws calls info.req is info.request here',
  handleProtocols: '; it is given an array of subprotocols, where ws gives a Set',
};

/**
 * Tells the developer that a hook failed, or returned an invalid value.
 *
 * @param place the server. @param outcome the consequence of a failure, in a few words.
 */
export function complainOfHook(
  place: object | undefined,
  { hook, error, outcome = 'the handshake was refused with 500' }: { hook: string; error: unknown; outcome?: string },
): void {
  if (isHookAnswerError(error)) {
    const { message, cause } = error;
    complain(place, { kind: 'hook', key: error.hook, message, ...(cause !== undefined && { cause }) });
    return;
  }
  const habit = isError(error) && propertyOf(error, 'name') === 'TypeError' ? (HABITS[hook] ?? '') : '';
  const message = `${hook} failed, and ${outcome}${habit}`;
  complain(place, { kind: 'hook', key: `${hook} ${originOf(error)}`, message, cause: error });
}

/** Tells the developer that a hook has not answered. */
export function complainOfLateHook(place: object | undefined, hook: string, timeout: number): void {
  const message = `${hook} had not answered when handshakeTimeout (${timeout} ms) was over, and the handshake was refused with 503`;
  complain(place, { kind: 'hook', key: `${hook} late`, message });
}

/** Tells the developer of the first page that `origins: 'auto'` has refused: during development this is rarely intended. */
export function complainOfOrigin(place: object | undefined, origin: string, host: string): void {
  const found = excerpt(origin, 256);
  const message =
    `refused a page of the origin ${found} with 403, since the Host of this server is ${excerpt(host, 256)} (origins: 'auto'); ` +
    `if it may connect, list it: origins: [${found}]. Others that are refused are not printed, NODE_DEBUG=sluice shows them`;
  complain(place, { kind: 'origin', message });
}

/**
 * Reports that a server was given a socket that is already upgraded, and tells the developer. It is a mistake of the application, but it is
 * detected within Node's 'upgrade' event, where throwing would let any peer crash the process.
 */
export function reportTaken(place: object | undefined, server: object | undefined, error: UsageError): void {
  report('server-error', { server, error });
  complain(place, { kind: 'upgrade', message: 'an upgrade was passed on twice', cause: error });
}
