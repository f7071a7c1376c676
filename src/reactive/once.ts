import { AsyncSubject, type Observable, of } from 'rxjs';

/** Whom a {@link Once} tells without an Observable. */
export interface OnceListener<T> {
  told(value: T): void;
}

/** A value that comes once, and is replayed: what costs nothing while nobody waits for it. */
export class Once<T> {
  #listener: OnceListener<T> | undefined;
  #subject: AsyncSubject<T> | undefined;
  #value: { readonly value: T } | undefined;

  /** Emits the value and completes, when it is there or at once; never errors. */
  get value$(): Observable<T> {
    if (this.#value !== undefined) return of(this.#value.value);
    this.#subject ??= new AsyncSubject();
    return this.#subject.asObservable();
  }

  /** Tells `listener` the value, when it is there or at once. The first listener costs nothing, and is told before all others. */
  tell(listener: OnceListener<T>): void {
    if (this.#value === undefined && this.#listener === undefined) this.#listener = listener;
    else this.value$.subscribe((value) => listener.told(value));
  }

  /** Sets the value. Only the first time counts. */
  set(value: T): void {
    if (this.#value !== undefined) return;
    this.#value = { value };
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.told(value);
    this.#subject?.next(value);
    this.#subject?.complete();
    this.#subject = undefined;
  }
}
