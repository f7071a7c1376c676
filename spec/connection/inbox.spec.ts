import { Subscription, take } from 'rxjs';
import { Inbox } from '../../src/connection/inbox.js';

const MARK = 1_000;

describe('demand', () => {
  it('is at least one subscriber and no hold', () => {
    const inbox = openInbox();
    expect(inbox.hasDemand).toBe(false);
    const subscription = inbox.messages$.subscribe();
    expect(inbox.hasDemand).toBe(true);
    const hold = inbox.hold();
    expect(inbox.hasDemand).toBe(false);
    hold.unsubscribe();
    expect(inbox.hasDemand).toBe(true);
    subscription.unsubscribe();
    expect(inbox.hasDemand).toBe(false);
  });

  it('comes back with the last hold, and a hold that is released twice counts once', () => {
    const inbox = openInbox();
    inbox.messages$.subscribe();
    const [first, second] = [inbox.hold(), inbox.hold()];
    first.unsubscribe();
    first.unsubscribe();
    expect(inbox.hasDemand).toBe(false);
    second.unsubscribe();
    expect(inbox.hasDemand).toBe(true);
  });

  it('is announced when it begins, with the teardown of the subscriber in place', () => {
    const inbox: Inbox<string> = new Inbox(MARK, {
      pump: () => {
        while (inbox.deliverNext());
      },
    });
    for (const message of ['a', 'b']) inbox.put(message, 1);
    const seen: string[] = [];
    inbox.messages$.pipe(take(1)).subscribe((message) => seen.push(message));
    expect([seen, inbox.hasDemand]).toEqual([['a'], false]);
    inbox.messages$.subscribe((message) => seen.push(message));
    expect(seen).toEqual(['a', 'b']);
  });
});

describe('what waits', () => {
  it('is charged its bytes and 128 more for each message', () => {
    const inbox = openInbox();
    inbox.put('', 0);
    inbox.put('abc', 3);
    expect(inbox.cost).toBe(259);
  });

  it('may grow until the mark is reached, and then only with demand', () => {
    const inbox = openInbox();
    inbox.put('a', MARK - 129);
    expect(inbox.hasRoom).toBe(true);
    inbox.put('b', 0);
    expect(inbox.hasRoom).toBe(false);
    inbox.messages$.subscribe();
    expect(inbox.hasRoom).toBe(true);
  });

  it('comes one by one, in order, and costs nothing then', () => {
    const inbox = openInbox();
    for (let i = 0; i < 1_000; i++) inbox.put(`${i}`, 1);
    const seen: string[] = [];
    inbox.messages$.subscribe((message) => seen.push(message));
    while (inbox.deliverNext());
    expect(seen).toEqual(Array.from({ length: 1_000 }, (_, i) => `${i}`));
    expect([inbox.cost, inbox.isEmpty]).toEqual([0, true]);
  });

  it('goes before a message that comes while there is demand', () => {
    const { inbox, seen } = recorded();
    const hold = inbox.hold();
    inbox.put('a', 1);
    hold.unsubscribe();
    inbox.put('b', 1);
    while (inbox.deliverNext());
    expect(seen).toEqual(['a', 'b']);
  });

  it('is gone when it is dropped', () => {
    const { inbox, seen } = recorded();
    const hold = inbox.hold();
    inbox.put('a', 1);
    inbox.drop();
    hold.unsubscribe();
    expect({ deliverNext: inbox.deliverNext(), cost: inbox.cost, seen }).toEqual({
      deliverNext: false,
      cost: 0,
      seen: [],
    });
  });
});

describe('delivery', () => {
  it('goes to the subscribers that were there when the message began', () => {
    const inbox = openInbox();
    const seen: string[] = [];
    let isFirst = true;
    inbox.messages$.subscribe((message) => {
      seen.push(`1:${message}`);
      if (isFirst) inbox.messages$.subscribe((later) => seen.push(`2:${later}`));
      isFirst = false;
    });
    inbox.put('a', 1);
    inbox.put('b', 1);
    expect(seen).toEqual(['1:a', '1:b', '2:b']);
  });

  it('skips a subscriber that left during the message', () => {
    const inbox = openInbox();
    const seen: string[] = [];
    const both = new Subscription();
    inbox.messages$.subscribe(() => both.unsubscribe());
    both.add(inbox.messages$.subscribe((message) => seen.push(message)));
    inbox.put('a', 1);
    expect(seen).toEqual([]);
  });

  it('goes on to the others under a hold that one of them takes', () => {
    const inbox = openInbox();
    const seen: string[] = [];
    inbox.messages$.subscribe(() => inbox.hold());
    inbox.messages$.subscribe((message) => seen.push(message));
    inbox.put('a', 1);
    inbox.put('b', 1);
    expect(seen).toEqual(['a']);
  });
});

describe('the end', () => {
  it('stands behind what waits', () => {
    const inbox = openInbox();
    inbox.put('a', 1);
    inbox.end();
    const seen: string[] = [];
    inbox.messages$.subscribe({ next: (message) => seen.push(message), complete: () => seen.push('end') });
    while (inbox.deliverNext());
    expect([seen, inbox.isCompleted]).toEqual([['a', 'end'], true]);
  });

  it('is for each subscriber there is, and at once for those who come later', () => {
    const { inbox, seen } = recorded();
    inbox.messages$.subscribe({ complete: () => seen.push('end of another') });
    inbox.end();
    inbox.deliverNext();
    inbox.messages$.subscribe({ complete: () => seen.push('end of a late one') });
    expect(seen).toEqual(['end', 'end of another', 'end of a late one']);
  });

  it('is told once', () => {
    const { inbox } = recorded();
    let times = 0;
    inbox.whenOver(() => times++);
    inbox.end();
    while (inbox.deliverNext());
    inbox.deliverNext();
    inbox.abandon();
    expect(times).toBe(1);
  });

  it('is awaited while a subscriber has not got it, held or not', () => {
    const inbox = openInbox();
    inbox.put('a', 1);
    expect(inbox.isAwaited).toBe(false);
    const hold = inbox.hold();
    expect(inbox.isAwaited).toBe(true);
    inbox.messages$.subscribe();
    hold.unsubscribe();
    inbox.end();
    expect([inbox.isHeld, inbox.isAwaited]).toEqual([false, true]);
    while (inbox.deliverNext());
    inbox.deliverNext();
    expect(inbox.isAwaited).toBe(false);
  });

  it('is not waited for when what a hold keeps back is dropped, and nobody listens', () => {
    const inbox = openInbox();
    inbox.hold();
    inbox.put('a', 1);
    inbox.end();
    let times = 0;
    inbox.whenOver(() => times++);
    expect(times).toBe(0);
    inbox.drop();
    expect(times).toBe(1);
  });

  it('is kept back by a hold when somebody waits for it, or something waits', () => {
    const inbox = openInbox();
    inbox.hold();
    expect(inbox.isHeld).toBe(false);
    inbox.put('a', 1);
    expect(inbox.isHeld).toBe(true);
    inbox.drop();
    inbox.messages$.subscribe();
    expect(inbox.isHeld).toBe(true);
  });

  it('comes in spite of a hold, without what waits, when that is abandoned', () => {
    const { inbox, seen } = recorded();
    inbox.hold();
    inbox.put('a', 1);
    inbox.abandon();
    expect({ seen, isHeld: inbox.isHeld, isCompleted: inbox.isCompleted }).toEqual({
      seen: ['end'],
      isHeld: false,
      isCompleted: true,
    });
  });
});

describe('an interception', () => {
  it('sees each message before it is queued, in spite of holds, and takes out what it wants', () => {
    const { inbox, seen } = recorded();
    const hold = inbox.hold();
    const looked: string[] = [];
    inbox.intercept((message) => looked.push(message) > 0 && message === 'b');
    for (const message of ['a', 'b', 'c']) inbox.put(message, 1);
    expect(looked).toEqual(['a', 'b', 'c']);
    hold.unsubscribe();
    while (inbox.deliverNext());
    expect(seen).toEqual(['a', 'c']);
  });

  it('does not see what waits already', () => {
    const inbox = openInbox();
    inbox.put('a', 1);
    inbox.intercept(() => true);
    expect(inbox.isEmpty).toBe(false);
  });

  it('is asked in the order of coming, and the first that takes a message has it', () => {
    const inbox = openInbox();
    const asked: string[] = [];
    const asking = (name: string) => (message: string) => {
      asked.push(name + message);
      return message === name;
    };
    const first = inbox.intercept(asking('a'));
    inbox.intercept(asking('b'));
    inbox.put('a', 1);
    inbox.put('b', 1);
    first.unsubscribe();
    first.unsubscribe();
    inbox.put('a', 1);
    expect(asked).toEqual(['aa', 'ab', 'bb', 'ba']);
  });

  it('may be the same function twice', () => {
    const inbox = openInbox();
    const take = (): boolean => true;
    inbox.intercept(take);
    inbox.intercept(take).unsubscribe();
    inbox.put('a', 1);
    expect(inbox.isEmpty).toBe(true);
  });

  it('reads ahead no further, unless it is urgent: then twice as far, and asks for more', () => {
    let asked = 0;
    const inbox: Inbox<string> = new Inbox(MARK, { pump: () => asked++ });
    inbox.put('a', MARK);
    const patient = inbox.intercept(() => false);
    expect([inbox.hasRoom, patient.isReading]).toEqual([false, false]);
    const before = asked;
    const urgent = inbox.intercept(() => false, { onStuck: () => {} });
    expect({ hasRoom: inbox.hasRoom, isReading: patient.isReading, asked }).toEqual({
      hasRoom: true,
      isReading: true,
      asked: before + 1,
    });
    inbox.put('b', MARK);
    expect([inbox.hasRoom, urgent.isReading]).toEqual([false, false]);
    inbox.messages$.subscribe();
    expect(urgent.isReading).toBe(true);
  });

  it('is told when it waits in vain: when all room is used up, and nobody subscribes or holds', () => {
    const log: string[] = [];
    const inbox = openInbox();
    inbox.put('a', MARK);
    const interception = inbox.intercept(() => false, { onStuck: () => log.push('stuck') });
    const twice = inbox.intercept(() => false, { onStuck: () => log.push('stuck too') });
    expect([log, interception.isStuck]).toEqual([[], false]);
    inbox.put('b', MARK);
    expect([log.splice(0), interception.isStuck]).toEqual([['stuck', 'stuck too'], true]);
    twice.unsubscribe();
    // Somebody else begins to wait.
    inbox.intercept(() => false);
    expect(log.splice(0)).toEqual(['stuck']);

    const hold = inbox.hold();
    expect(interception.isStuck).toBe(false);
    const subscription = inbox.messages$.subscribe();
    subscription.unsubscribe();
    expect(log).toEqual([]);
    hold.unsubscribe();
    expect(log.splice(0)).toEqual(['stuck']);

    const held = inbox.hold();
    const leaving = inbox.messages$.subscribe();
    held.unsubscribe();
    expect([log, interception.isStuck]).toEqual([[], false]);
    leaving.unsubscribe();
    expect(log.splice(0)).toEqual(['stuck']);

    interception.unsubscribe();
    interception.unsubscribe();
    inbox.put('c', 1);
    expect([log, inbox.hasRoom]).toEqual([[], false]);
  });

  it('by key is shown only what has it', () => {
    const inbox = openInbox();
    const taken: string[] = [];
    const key = { of: (message: string) => message.charAt(0), value: 'b', failed: () => {} };
    inbox.intercept((message) => taken.push(message) > 0, { key });
    for (const message of ['a', 'b1', 'c', 'b2']) inbox.put(message, 1);
    expect([taken, inbox.cost]).toEqual([['b1', 'b2'], 2 * (1 + 128)]);
  });

  it('is no demand: what nobody wants is not kept when it must not be', () => {
    const inbox = openInbox();
    inbox.intercept(() => false, { onStuck: () => {} });
    expect(inbox.hasDemand).toBe(false);
    inbox.put('a', 1, false);
    expect(inbox.isEmpty).toBe(true);
  });
});

describe('an end that nobody waits for any more', () => {
  it('is told when the subscriber and the hold are gone, in either order', () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const inbox = openInbox();
      const parts = [inbox.hold(), inbox.messages$.subscribe()];
      inbox.put('a', 1);
      inbox.end();
      const log: string[] = [];
      inbox.whenOver(() => log.push('over'));
      parts[order[0]!]!.unsubscribe();
      log.push('one');
      parts[order[1]!]!.unsubscribe();
      expect(log).toEqual(['one', 'over']);
    }
  });
});

function openInbox(): Inbox<string> {
  return new Inbox<string>(MARK, { pump: () => {} });
}

function recorded(): { inbox: Inbox<string>; seen: string[] } {
  const inbox = openInbox();
  const seen: string[] = [];
  inbox.messages$.subscribe({ next: (message) => seen.push(message), complete: () => seen.push('end') });
  return { inbox, seen };
}
