import { defer, type Observable, Subject, type Subscription, throwError } from 'rxjs';
import type { Connection } from 'sluice';
import { type ConnectionPair, connectionPair, testConnect, testServer } from 'sluice/testing';
import { visit } from '../../examples/rooms/client.js';
import type { Event, Request, User } from '../../examples/rooms/messages.js';
import { rooms } from '../../examples/rooms/server.js';

const refused = (): Error => Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

/** What one visitor hears, and how it acts. */
export interface TestVisitor {
  readonly heard$: Observable<Event>;
  readonly requests$: Subject<Request>;
  /** Each dial that got through, oldest first. */
  readonly pairs: ConnectionPair<User>[];
  /** When it dialed, in frames. */
  readonly dialed: number[];
}

/** The whole application without a network: its server, and its visitors. */
export class RoomsWorld {
  readonly #now: () => number;
  #connections$ = new Subject<Connection<User>>();
  #server: Subscription | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The server begins to listen. */
  start(): void {
    this.#connections$ = new Subject();
    this.#server = rooms(testServer(this.#connections$)).subscribe();
  }

  /** The server stops: its connections are closed with 1001. */
  stop(): void {
    this.#server?.unsubscribe();
    this.#server = undefined;
  }

  /** A visitor of these rooms; it dials when `heard$` is subscribed to. */
  visitor(name: string, ...joins: string[]): TestVisitor {
    const requests$ = new Subject<Request>();
    const pairs: ConnectionPair<User>[] = [];
    const dialed: number[] = [];
    const dial$ = defer(() => {
      dialed.push(this.#now());
      if (this.#server === undefined) return throwError(refused);
      // What a slow consumer is to choke on must not shrink on the way.
      const pair = connectionPair({ data: { name }, server: { perMessageDeflate: false } });
      pairs.push(pair);
      this.#connections$.next(pair.server);
      return testConnect([pair.client]);
    });
    const policy = { initial: 1_000, random: () => 0.5 };
    return { heard$: visit(dial$, { rooms: joins, requests$, policy }), requests$, pairs, dialed };
  }
}
