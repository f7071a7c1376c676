import { Observable, Subject } from 'rxjs';

/** Whether more is welcome: `false` above the mark, `true` again below half of it, so that it does not flap. */
export class ReadySignal {
  /** Replays the current value, then emits each change; completes with the connection. */
  get ready$(): Observable<boolean> {
    this.#ready$ ??= new Observable((subscriber) => {
      if (this.#ended) {
        subscriber.complete();
        return;
      }
      this.#changes ??= new Subject();
      // Subscribed first: the value may make the subscriber send, and so change it.
      const changes = this.#changes.subscribe(subscriber);
      subscriber.next(this.#told);
      return changes;
    });
    return this.#ready$;
  }

  isReady = true;
  #ready$: Observable<boolean> | undefined;
  readonly #mark: number;
  #changes: Subject<boolean> | undefined;
  /** What the subscribers know, or are being told. */
  #told = true;
  #isTelling = false;
  #ended = false;

  /** @param mark in bytes. */
  constructor(mark: number) {
    this.#mark = mark;
  }

  /** Tells how many bytes wait now. */
  update(waiting: number): void {
    if (this.#ended) return;
    this.isReady = this.isReady ? waiting <= this.#mark : waiting < this.#mark / 2;
    if (this.#isTelling) return;
    // A subscriber that sends changes it again: all are told of one change before the next.
    this.#isTelling = true;
    while (this.#told !== this.isReady && !this.#ended) {
      this.#told = this.isReady;
      this.#changes?.next(this.#told);
    }
    this.#isTelling = false;
  }

  /** The connection has ended. */
  end(): void {
    this.#ended = true;
    this.isReady = false;
    this.#changes?.complete();
  }
}
