import { AsyncSubject, type Observable, of } from 'rxjs';

/** A value that arrives once and is replayed. It costs nothing while there are no subscribers. */
export class Once<T> {
  #subject: AsyncSubject<T> | undefined;
  #value: { readonly value: T } | undefined;

  /** Emits the value and completes, when it is there or at once; never errors. */
  get value$(): Observable<T> {
    if (this.#value !== undefined) return of(this.#value.value);
    this.#subject ??= new AsyncSubject();
    return this.#subject.asObservable();
  }

  /** Sets the value. Only the first time counts. */
  set(value: T): void {
    if (this.#value !== undefined) return;
    this.#value = { value };
    this.#subject?.next(value);
    this.#subject?.complete();
    this.#subject = undefined;
  }
}
