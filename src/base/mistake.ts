import { checkFunction } from './check.js';
import { describeThrown, propertyOf, textOf } from './thrown.js';

/** A mistake of the application that is not reported as an error to any caller, such as a hook that throws. */
export interface Mistake {
  /**
   * The subject: a hook of a server, a handler of `handleConnections`, a value that cannot be sent, messages without a subscriber,
   * an upgrade that was passed on twice, or an origin that `origins: 'auto'` has refused.
   */
  readonly kind: 'hook' | 'handler' | 'send' | 'messages' | 'upgrade' | 'origin';
  /** What happened, its consequence, and what to do about it, in one line. */
  readonly message: string;
  /** The thrown value, if there is one. */
  readonly cause?: unknown;
}

/** A {@link Mistake} with a key that distinguishes it from others of its kind. */
export interface Complaint extends Mistake {
  /** Mistakes of the same kind and key are the same, whatever their message. A peer must not be able to choose it. @default '' */
  readonly key?: string;
}

/** The most different mistakes that are reported for one place: their keys may contain text of a peer that is unknown here. */
const MAX_KINDS = 64;

/** The mistakes that were reported for each place. */
let told = new WeakMap<object, Set<string>>();

/** The place of mistakes that belong to no server. */
const elsewhere = {};

let redirected: ((mistake: Mistake) => void) | undefined;

/**
 * Sends mistakes of the application to `to` instead of `console.error`: to the log of the application, or nowhere (`() => {}`). With
 * `undefined` they are printed again.
 *
 * Each mistake is reported once for each kind and place, so that no peer can fill a log. A place is a server, an `accept` or a
 * `handleConnections`, or the process if none of these applies. Each call starts again: `to` gets mistakes that were reported before. If `to` throws, the error is ignored and the mistake is printed. It affects
 * only this copy of sluice: if a process has both its ESM and its CommonJS build, call it in both.
 *
 * @throws TypeError if `to` is not a function.
 * @example redirectMistakes(({ message, cause }) => logger.warn(message, cause));
 */
export function redirectMistakes(to: ((mistake: Mistake) => void) | undefined): void {
  checkFunction('to', to);
  redirected = to;
  told = new WeakMap();
}

/** Whether this mistake was reported for `place` already, so that the caller need not look for it. */
export function isTold(place: object = elsewhere, { kind, key = '' }: Pick<Complaint, 'kind' | 'key'>): boolean {
  return told.get(place)?.has(nameOf(kind, key)) === true;
}

/** Reports a mistake to the developer, the first time that it is made in `place`. Never throws. */
export function complain(place: object = elsewhere, { kind, key = '', message, ...thrown }: Complaint): void {
  const known = told.get(place) ?? new Set();
  told.set(place, known);
  const name = nameOf(kind, key);
  if (known.has(name) || known.size >= MAX_KINDS) return;
  known.add(name);
  tell({ kind, message, ...thrown });
}

/** Returns where `thrown` was thrown, for the key of a {@link Complaint}: its name or type, and the first lines of its stack. */
export function originOf(thrown: unknown): string {
  const [name, message, stack] = ['name', 'message', 'stack'].map((key) => propertyOf(thrown, key));
  // A message may contain anything that a peer has sent, including lines that look like a stack.
  const frames = textOf(stack ?? '').replace(textOf(message), '');
  return [name === undefined ? typeof thrown : textOf(name), ...(frames.match(/^ +at .*$/gm) ?? []).slice(0, 3)].join(
    '\n',
  );
}

function nameOf(kind: string, key: string): string {
  return `${kind} ${key}`;
}

function tell(mistake: Mistake): void {
  if (redirected !== undefined) {
    try {
      redirected(mistake);
      return;
    } catch {
      // The mistake is more important than the failure of `redirected`.
    }
  }
  print(mistake);
}

function print(mistake: Mistake): void {
  const line = `sluice: ${mistake.message}`;
  if (!('cause' in mistake)) {
    console.error(line);
    return;
  }
  try {
    console.error(`${line}:`, mistake.cause);
  } catch {
    // Node reads its properties to print it, and their getters may throw.
    console.error(`${line}:`, describeThrown(mistake.cause));
  }
}
