import { checkFunction } from './check.js';
import { describeThrown, propertyOf, textOf } from './thrown.js';

/** A mistake of the application that no error of its own tells, such as a hook that throws. */
export interface Mistake {
  /**
   * What it concerns: a hook of a server, a handler of `handleConnections`, a value that cannot be sent, messages that nothing subscribes
   * to, an upgrade that was passed on twice, or an origin that `origins: 'auto'` has refused.
   */
  readonly kind: 'hook' | 'handler' | 'send' | 'messages' | 'upgrade' | 'origin';
  /** What happened, what came of it, and what to do about it, in one line. */
  readonly message: string;
  /** What was thrown, if anything was. */
  readonly cause?: unknown;
}

/** A {@link Mistake}, and what tells it from others of its kind. */
export interface Complaint extends Mistake {
  /** Mistakes of the same kind and key are the same, whatever their words. It must not be for a peer to choose. @default '' */
  readonly key?: string;
}

/** So many different mistakes are told of one place: what they are called may hold more of a peer's words than is known here. */
const MAX_KINDS = 64;

/** What was told of each place. */
const told = new WeakMap<object, Set<string>>();

/** The place of what belongs to no server. */
const elsewhere = {};

let redirected: ((mistake: Mistake) => void) | undefined;

/**
 * Sends mistakes of the application to `to` instead of `console.error`: to the log of the application, or nowhere (`() => {}`). With
 * `undefined` they are printed again.
 *
 * Each mistake comes once for each kind and place, so that no peer can fill a log: a place is a server, an `accept` or a `handleConnections`,
 * or the process for what has none of them. What `to` throws is disregarded, and the mistake is printed. Concerns this copy of sluice: where
 * a process has its ESM and its CommonJS build, call it in both.
 *
 * @throws TypeError when `to` is no function.
 * @example redirectMistakes(({ message, cause }) => logger.warn(message, cause));
 */
export function redirectMistakes(to: ((mistake: Mistake) => void) | undefined): void {
  checkFunction('to', to);
  redirected = to;
}

/** Whether this mistake was told of `place` already, so that there is no need to look for it. */
export function isTold(place: object = elsewhere, { kind, key = '' }: Pick<Complaint, 'kind' | 'key'>): boolean {
  return told.get(place)?.has(nameOf(kind, key)) === true;
}

/** Tells the developer of a mistake, the first time that it is made in `place`. Never throws. */
export function complain(place: object = elsewhere, { kind, key = '', message, ...thrown }: Complaint): void {
  const known = told.get(place) ?? new Set();
  told.set(place, known);
  const name = nameOf(kind, key);
  if (known.has(name) || known.size >= MAX_KINDS) return;
  known.add(name);
  tell({ kind, message, ...thrown });
}

/** Where `thrown` was thrown, for the key of a {@link Complaint}: its name or its type, and the lines of its stack that come first. */
export function originOf(thrown: unknown): string {
  const [name, message, stack] = ['name', 'message', 'stack'].map((key) => propertyOf(thrown, key));
  // A message may hold anything that a peer has sent, and lines as a stack has them.
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
      // What it was given is worth more than why it failed.
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
    // To show it, Node reads its properties, and their getters may throw.
    console.error(`${line}:`, describeThrown(mistake.cause));
  }
}
