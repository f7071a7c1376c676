import { Observable, type Observer, type Subscription } from 'rxjs';

/**
 * Subscribes `observer` to `source` as a part of `owner`: it ends with `owner` even while `source` emits within `subscribe`, so that
 * no value is delivered after the end. Does not subscribe if `owner` has ended.
 *
 * @param onReleased called when the subscription has released everything, however it ended.
 */
export function subscribeWithin<T>(
  owner: Subscription,
  source: Observable<T>,
  observer: Partial<Observer<T>>,
  onReleased?: () => void,
): void {
  new Observable<T>((subscriber) => {
    owner.add(subscriber);
    if (subscriber.closed) return;
    source.subscribe(subscriber);
    subscriber.add(onReleased);
  }).subscribe(observer);
}
