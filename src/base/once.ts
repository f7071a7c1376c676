import { AsyncSubject, type Observable, of } from 'rxjs';

/** A value that is set once and replayed. It allocates no subject while there are no subscribers. */
export class Once<T> {
  #subject: AsyncSubject<T> | undefined;
  #value: { readonly value: T } | undefined;

  /** Emits the value as soon as it is set, and completes; never errors. */
  get value$(): Observable<T> {
    if (this.#value !== undefined) return of(this.#value.value);
    this.#subject ??= new AsyncSubject();
    return this.#subject.asObservable();
  }

  /** Sets the value. Later calls do nothing. */
  set(value: T): void {
    if (this.#value !== undefined) return;
    this.#value = { value };
    this.#subject?.next(value);
    this.#subject?.complete();
    this.#subject = undefined;
  }
}
