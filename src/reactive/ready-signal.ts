import { Observable, Subject } from 'rxjs';

/** Whether more is welcome: `false` above the mark, `true` again below half of it, so that it does not flap. */
export class ReadySignal {
  /** Replays the current value, then emits each change; completes with the connection. */
  readonly ready$: Observable<boolean> = new Observable((subscriber) => {
    if (this.#ended) {
      subscriber.complete();
      return;
    }
    this.#changes ??= new Subject();
    // Subscribed first: the value may make the subscriber send, and so change it.
    const changes = this.#changes.subscribe(subscriber);
    subscriber.next(this.isReady);
    return changes;
  });
  isReady = true;
  readonly #mark: number;
  #changes: Subject<boolean> | undefined;
  #ended = false;

  /** @param mark in bytes. */
  constructor(mark: number) {
    this.#mark = mark;
  }

  /** Tells how many bytes wait now. */
  update(waiting: number): void {
    const ready = this.isReady ? waiting <= this.#mark : waiting < this.#mark / 2;
    if (ready === this.isReady) return;
    this.isReady = ready;
    this.#changes?.next(ready);
  }

  /** The connection has ended. */
  end(): void {
    this.#ended = true;
    this.isReady = false;
    this.#changes?.complete();
  }
}
