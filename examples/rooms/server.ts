/** The server of the rooms, as a function of its connections: `serve(...)`, or a double in tests. */
import { finalize, map, type Observable, tap } from 'rxjs';
import { type Connection, createHub, type Hub, handleConnections, withCodec } from 'sluice';
import { type Event, type Request, serverCodec, type User } from './messages.js';

type Member = Connection<User, Request, Event>;

/** Runs the rooms for all connections. Emits nothing; ends when they have ended. */
export function rooms(connections$: Observable<Connection<User>>): Observable<never> {
  const hub = createHub<string, Member>();
  return connections$.pipe(
    map(withCodec(serverCodec)),
    handleConnections((conn) => {
      const visit = new Visit(hub, conn);
      // `messages$` completes when the connection has ended, however it ended, so every member leaves.
      return conn.messages$.pipe(
        tap((request) => visit.obey(request)),
        finalize(() => visit.leaveAll()),
      );
    }),
  );
}

/** One connection, and the rooms that it is in. */
class Visit {
  readonly #hub: Hub<string, Member>;
  readonly #conn: Member;

  constructor(hub: Hub<string, Member>, conn: Member) {
    this.#hub = hub;
    this.#conn = conn;
  }

  obey(request: Request): void {
    const { room } = request;
    if (request.type === 'say') this.#say(room, request.text);
    else if (request.type === 'join') this.#join(room);
    else this.#leave(room);
  }

  leaveAll(): void {
    for (const room of this.#hub.keysOf(this.#conn)) this.#leave(room);
  }

  get #name(): string {
    return this.#conn.data.name;
  }

  #say(room: string, text: string): void {
    if (this.#isIn(room)) this.#tell(room, { type: 'said', room, name: this.#name, text });
  }

  #join(room: string): void {
    if (this.#isIn(room)) return;
    this.#hub.join(room, this.#conn);
    this.#tell(room, { type: 'joined', room, name: this.#name });
  }

  #leave(room: string): void {
    if (this.#hub.leave(room, this.#conn)) this.#tell(room, { type: 'left', room, name: this.#name });
  }

  #isIn(room: string): boolean {
    return this.#hub.members(room).has(this.#conn);
  }

  /** Tells the other members. A member that does not keep up is closed with 1013, and may come back. The others do not wait for it. */
  #tell(room: string, event: Event): void {
    this.#hub.topic(room, { overflow: 'close' }).next(event, { except: this.#conn });
  }
}
