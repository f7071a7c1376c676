import { type Observable, Subscription } from 'rxjs';
import { holdSymbol, tapSymbol } from '../../src/connection/hooks.js';
import { Inbox } from '../../src/connection/inbox.js';

const MARK = 1_000;

describe('the messages of an inbox', () => {
  it('are one Observable, with the hold of the inbox', () => {
    const inbox = openInbox();
    const { messages$ } = inbox;
    expect(inbox.messages$).toBe(messages$);
    messages$.subscribe();
    const hold = messages$[holdSymbol]();
    expect(inbox.hasDemand).toBe(false);
    hold.unsubscribe();
    expect(inbox.hasDemand).toBe(true);
  });
});

describe('messages that are tapped', () => {
  const tapped = (inbox: Inbox<string>, next: (message: string) => void): Observable<string> =>
    Reflect.get(inbox.messages$, tapSymbol).call(inbox.messages$, { next });

  it('are given to the tap first, then emitted, and wait like others', () => {
    const inbox: Inbox<string> = new Inbox(MARK, {
      pump: () => {
        while (inbox.deliverNext());
      },
    });
    const log: string[] = [];
    inbox.put('a', 1);
    const subscription = tapped(inbox, (message) => log.push(`tap ${message}`)).subscribe((message) =>
      log.push(message),
    );
    inbox.put('b', 1);
    subscription.unsubscribe();
    expect(inbox.hasDemand).toBe(false);
    inbox.put('c', 1);
    expect(log).toEqual(['tap a', 'a', 'tap b', 'b']);
  });

  it('error when the tap throws, and are wanted no more', () => {
    const inbox = openInbox();
    const errors: unknown[] = [];
    const broken = new Error('broken');
    const tap = (): never => {
      throw broken;
    };
    tapped(inbox, tap).subscribe({ next: () => errors.push('emitted'), error: (error) => errors.push(error) });
    inbox.put('a', 1);
    expect([errors, inbox.hasDemand]).toEqual([[broken], false]);
  });

  it('are not given to the tap of a subscriber who has left while others got the message', () => {
    const inbox = openInbox();
    const log: string[] = [];
    const leaving = new Subscription();
    inbox.messages$.subscribe(() => leaving.unsubscribe());
    leaving.add(tapped(inbox, (message) => log.push(message)).subscribe());
    inbox.put('a', 1);
    expect(log).toEqual([]);
  });

  it('complete with the others', () => {
    const inbox = openInbox();
    let completed = 0;
    tapped(inbox, () => {}).subscribe({ complete: () => completed++ });
    inbox.end();
    inbox.deliverNext();
    tapped(inbox, () => {}).subscribe({ complete: () => completed++ });
    expect(completed).toBe(2);
  });
});

function openInbox(): Inbox<string> {
  return new Inbox<string>(MARK, { pump: () => {} });
}
