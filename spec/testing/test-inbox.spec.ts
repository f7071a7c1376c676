import { VirtualTimeScheduler } from 'rxjs';
import { TestInbox } from '../../src/testing/test-inbox.js';

describe('the inbox of a test connection', () => {
  it('keeps up to the mark, and leaves the rest unread', () => {
    const inbox = new TestInbox<string>(200, () => {});
    for (const message of ['a', 'b', 'c', 'd']) inbox.receive(message);
    expect(inbox.stats).toMatchObject({ messagesReceived: 4, bytesReceived: 4, inboxBytes: 2 * 129 });
    const seen: string[] = [];
    inbox.messages$.subscribe((message) => seen.push(message));
    expect(seen).toEqual(['a', 'b', 'c', 'd']);
  });

  it('tells of each change of demand, and not of its end', () => {
    const inbox = new TestInbox<string>(200, () => {});
    const demand: boolean[] = [];
    inbox.demand$.subscribe((each) => demand.push(each));
    const first = inbox.messages$.subscribe();
    inbox.messages$.subscribe().unsubscribe();
    first.unsubscribe();
    inbox.messages$.subscribe();
    inbox.end();
    expect(demand).toEqual([true, false, true]);
  });

  it('takes a message that comes while one is delivered behind it', () => {
    const inbox = new TestInbox<string>(200, () => {});
    const seen: string[] = [];
    for (const name of ['1', '2']) {
      inbox.messages$.subscribe((message) => {
        seen.push(`${name} ${message}`);
        if (message === 'a' && name === '1') inbox.receive('b');
      });
    }
    inbox.receive('a');
    expect(seen).toEqual(['1 a', '2 a', '1 b', '2 b']);
  });

  it('is settled once, when what can be delivered is', () => {
    const settled = jest.fn();
    const inbox = new TestInbox<string>(200, settled);
    inbox.receive('a');
    inbox.messages$.subscribe(() => {
      inbox.end();
      expect(settled).not.toHaveBeenCalled();
    });
    expect(settled).toHaveBeenCalledTimes(1);
  });

  it('waits for a hold, and no longer than ten seconds', () => {
    const scheduler = new VirtualTimeScheduler();
    const log: unknown[] = [];
    const inbox = new TestInbox<string>(200, () => inbox.whenReleased(scheduler, () => log.push('done')));
    const subscription = inbox.messages$.subscribe({ complete: () => log.push('complete') });
    const hold = inbox.messages$[Object.getOwnPropertySymbols(inbox.messages$)[0] as never] as () => unknown;
    hold();
    inbox.receive('a');
    inbox.end();
    expect(log).toEqual([]);
    scheduler.flush();
    expect({ log, now: scheduler.now(), closed: subscription.closed }).toEqual({
      log: ['complete', 'done'],
      now: 10_000,
      closed: true,
    });
  });

  it('shows messages to those who intercept', () => {
    const inbox = new TestInbox<string>(200, () => {});
    const seen: string[] = [];
    inbox.intercept((message) => message === 'a');
    inbox.messages$.subscribe((message) => seen.push(message));
    for (const message of ['a', 'b']) inbox.receive(message);
    expect(seen).toEqual(['b']);
  });
});
