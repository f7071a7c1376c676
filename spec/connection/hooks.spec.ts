import { Observable } from 'rxjs';
import type { Message } from '../../src/connection/connection.js';
import {
  carryHooks,
  finishedSymbol,
  holdSymbol,
  hooksOf,
  interceptSymbol,
  messageHooksOf,
  reportSymbol,
  sessionsSymbol,
  shareSymbol,
  tapSymbol,
  turnSymbol,
} from '../../src/connection/hooks.js';
import { shareMessage } from '../../src/connection/shared-message.js';
import { close, text } from '../support/frames.js';
import { memoryConnection } from '../support/memory-connection.js';

describe('the symbols of a connection', () => {
  it('are the same in every build', () => {
    expect({
      holdSymbol,
      finishedSymbol,
      reportSymbol,
      interceptSymbol,
      sessionsSymbol,
      shareSymbol,
      tapSymbol,
      turnSymbol,
    }).toEqual({
      holdSymbol: Symbol.for('sluice.hold'),
      finishedSymbol: Symbol.for('sluice.finished'),
      reportSymbol: Symbol.for('sluice.report'),
      interceptSymbol: Symbol.for('sluice.intercept'),
      sessionsSymbol: Symbol.for('sluice.sessions'),
      shareSymbol: Symbol.for('sluice.share'),
      tapSymbol: Symbol.for('sluice.tap'),
      turnSymbol: Symbol.for('sluice.turn'),
    });
  });

  it('lead from messages$ to the hold', () => {
    const { connection, peer } = memoryConnection();
    const hold = messageHooksOf(connection.messages$)[holdSymbol]!();
    const seen: unknown[] = [];
    connection.messages$.subscribe((message) => seen.push(message));
    peer(text('a'));
    expect(seen).toEqual([]);
    hold.unsubscribe();
    expect(seen).toEqual(['a']);
  });

  it('lead from a connection to what comes last', () => {
    const { connection, peer, port } = memoryConnection();
    const codes: number[] = [];
    hooksOf(connection)[finishedSymbol]!({ finished: ({ code }) => codes.push(code) });
    peer(close(3000));
    port.reset();
    expect(codes).toEqual([3000]);
  });

  it('lead from a connection to messages before they are queued', () => {
    const { connection, peer } = memoryConnection();
    const seen: unknown[] = [];
    hooksOf<Message, unknown>(connection)[interceptSymbol]!((message) => message === 'b');
    peer(text('a'), text('b'));
    connection.messages$.subscribe((message) => seen.push(message));
    expect(seen).toEqual(['a']);
  });

  it('lead from messages$ to a tap, that is given each message first', () => {
    const { connection, peer } = memoryConnection();
    const seen: string[] = [];
    const tapped$ = messageHooksOf<Message>(connection.messages$)[tapSymbol]!({
      next: (message) => seen.push(`tap ${message}`),
    });
    tapped$.subscribe((message) => seen.push(`next ${message}`));
    peer(text('a'));
    expect(seen).toEqual(['tap a', 'next a']);
  });

  it('lead from a connection to a trySend for what goes to many', () => {
    const { connection, port } = memoryConnection();
    expect(hooksOf<Message, string>(connection)[shareSymbol]!(shareMessage('a'))).toBe('sent');
    expect(port.frames.map(({ payload }) => `${payload}`)).toEqual(['a']);
  });
});

describe('hooks', () => {
  it('are asked of anything, and are not there on most', () => {
    expect(hooksOf({})[reportSymbol]).toBeUndefined();
    expect(messageHooksOf(new Observable())[holdSymbol]).toBeUndefined();
  });

  it('are carried by all objects of a class, called on each, and shown by none', () => {
    class Carrying {
      readonly seen: unknown[] = [];
    }
    carryHooks(Carrying.prototype, {
      [reportSymbol](this: Carrying, error: unknown) {
        this.seen.push(error);
      },
    });
    const [one, other] = [new Carrying(), new Carrying()];
    hooksOf(one)[reportSymbol]!('an error');
    expect({ one: one.seen, other: other.seen }).toEqual({ one: ['an error'], other: [] });
    expect(Object.getOwnPropertyDescriptor(Carrying.prototype, reportSymbol)).toMatchObject({ enumerable: false });
  });
});
