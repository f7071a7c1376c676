import type { CloseInfo } from '../../src/connection/connection.js';
import {
  finishedSymbol,
  holdSymbol,
  interceptSymbol,
  reportSymbol,
  sessionsSymbol,
  tapSymbol,
  turnSymbol,
} from '../../src/connection/hooks.js';
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
      tapSymbol,
      turnSymbol,
    }).toEqual({
      holdSymbol: Symbol.for('sluice.hold'),
      finishedSymbol: Symbol.for('sluice.finished'),
      reportSymbol: Symbol.for('sluice.report'),
      interceptSymbol: Symbol.for('sluice.intercept'),
      sessionsSymbol: Symbol.for('sluice.sessions'),
      tapSymbol: Symbol.for('sluice.tap'),
      turnSymbol: Symbol.for('sluice.turn'),
    });
  });

  it('lead from messages$ to the hold', () => {
    const { connection, peer } = memoryConnection();
    const hold = connection.messages$[holdSymbol]();
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
    Reflect.get(connection, finishedSymbol).call(connection, { told: ({ code }: CloseInfo) => codes.push(code) });
    peer(close(3000));
    port.reset();
    expect(codes).toEqual([3000]);
  });

  it('lead from a connection to messages before they are queued', () => {
    const { connection, peer } = memoryConnection();
    const seen: unknown[] = [];
    const take = (message: unknown): boolean => message === 'b';
    (connection as never as Record<symbol, (take: unknown, isUrgent: boolean) => unknown>)[interceptSymbol]?.(
      take,
      true,
    );
    peer(text('a'), text('b'));
    connection.messages$.subscribe((message) => seen.push(message));
    expect(seen).toEqual(['a']);
  });
});
