/** Applications that have more to send than fits into a turn of the event loop. */
import { first, type Observable } from 'rxjs';
import { fragments, type OutgoingMessage } from '../../../src/connection/outgoing.js';
import type { Produce } from './schedule.js';

/** What an item costs an application, in milliseconds of the clock. */
const ITEM_MS = 1;

/** Where a producer sends to, and who watches it. */
export interface Outlet {
  readonly isReady: boolean;
  readonly ready$: Observable<boolean>;
  /** Sends one message. `false` when it was not taken, or one was dropped for it. */
  send(): boolean;
  /** `source` is sent as far as it is welcome, until it ends or the connection does. */
  sendFrom(source: Iterable<unknown> | AsyncIterable<unknown>): void;
  /** Time passes in the application. */
  spend(ms: number): void;
  /** It is about to produce one more item: whether it may. Notes it when there were too many in this turn of the loop. */
  counts(): boolean;
}

/** Lets an application produce `items` messages, in the way that `how` says. */
export function produce(how: Exclude<Produce, 'parts'>, items: number, outlet: Outlet): void {
  switch (how) {
    case 'iterable':
      outlet.sendFrom(itemsOf(items, outlet));
      break;
    case 'async iterable':
      outlet.sendFrom(promptly(itemsOf(items, outlet)));
      break;
    case 'loop':
      fill(new Budget(items), outlet);
      break;
    case 'drain loop': {
      const budget = new Budget(items);
      outlet.ready$.subscribe((ready) => ready && fill(budget, outlet));
      break;
    }
    case 'pump':
      pump(new Budget(items), outlet);
      break;
    default:
      how satisfies never;
  }
}

/** One message of `count` parts, the source of which could go on for ever. */
export function endlessParts(count: number, part: string, outlet: Outlet, ended: () => void): OutgoingMessage {
  function* parts(): Generator<string> {
    for (let index = 0; index < count && outlet.counts(); index++) {
      outlet.spend(ITEM_MS);
      yield part;
    }
    ended();
  }
  return fragments(parts());
}

/** How often a producer goes on in vain: more often than it may in one turn. */
const MOST_FAILURES = 500;

/** What a producer has left to send. */
class Budget {
  left: number;
  #failures = 0;

  constructor(items: number) {
    this.left = items;
  }

  sent(isKept: boolean): void {
    if (isKept) this.left--;
    else if (++this.#failures === MOST_FAILURES) this.left = 0;
  }
}

/** As long as it is welcome. */
function fill(budget: Budget, outlet: Outlet): void {
  while (budget.left > 0 && outlet.isReady && outlet.counts()) {
    outlet.spend(ITEM_MS);
    budget.sent(outlet.send());
  }
}

/** Waits for the next time that it is welcome with a subscription of its own. */
function pump(budget: Budget, outlet: Outlet): void {
  if (budget.left === 0) return;
  outlet.ready$.pipe(first((ready) => ready, false)).subscribe((ready) => {
    // A value that is stale would have it wait for ever for nothing.
    if (!ready || !outlet.counts()) return;
    fill(budget, outlet);
    pump(budget, outlet);
  });
}

function* itemsOf(count: number, outlet: Outlet): Generator<number> {
  for (let index = 0; index < count && outlet.counts(); index++) {
    outlet.spend(ITEM_MS);
    yield index;
  }
}

/** An async iterable whose values are there as soon as they are asked for. */
function promptly<T>(items: Iterator<T>): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]: () => ({
      // biome-ignore lint/suspicious/noThenProperty: it stands for a Promise that was fulfilled before
      next: () => ({ then: (use: (result: IteratorResult<T>) => void) => use(items.next()) }) as never,
    }),
  };
}
