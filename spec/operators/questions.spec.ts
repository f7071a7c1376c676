import { asyncScheduler, VirtualTimeScheduler } from 'rxjs';
import type { Connection } from 'sluice';
import { type OpenQuestion, questionsOf } from '../../src/operators/questions.js';
import { ping, text } from '../support/frames.js';
import { memoryConnection } from '../support/memory-connection.js';

const highWaterMark = 1_000;

/** A question that notes how it failed, under its name. */
function question(log: unknown[], name: string): OpenQuestion {
  return { rank: -1, fail: (error) => void log.push([name, error]) };
}

describe('the open questions of a connection', () => {
  it('are the same for all whose times go by one scheduler', () => {
    const [{ connection }, other] = [memoryConnection(), memoryConnection()];
    const questions = questionsOf(connection as Connection, asyncScheduler);
    expect(questionsOf(connection as Connection, asyncScheduler)).toBe(questions);
    expect(questionsOf(connection as Connection, new VirtualTimeScheduler())).not.toBe(questions);
    expect(questionsOf(other.connection as Connection, asyncScheduler)).not.toBe(questions);
  });

  it('read ahead twice as far while there are any, and say what waits', () => {
    const { connection, peer, port } = memoryConnection({ highWaterMark });
    const questions = questionsOf(connection as Connection, new VirtualTimeScheduler());
    const [one, other] = [question([], 'one'), question([], 'other')];
    expect(questions.isReading).toBe(false);
    questions.add(one);
    questions.add(other);
    peer(text('.'.repeat(highWaterMark)));
    expect({ isReading: questions.isReading, unread: questions.unread, isPaused: port.isPaused }).toEqual({
      isReading: true,
      unread: highWaterMark + 128,
      isPaused: false,
    });
    questions.remove(one);
    expect(questions.isReading).toBe(true);
    questions.remove(other);
    questions.remove(other);
    peer(text('.'));
    expect([questions.isReading, port.isPaused]).toEqual([false, true]);
  });

  it('fail when the connection ends, and at once when it has', () => {
    const log: unknown[] = [];
    const { connection, port } = memoryConnection();
    const questions = questionsOf(connection as Connection, new VirtualTimeScheduler());
    const left = question(log, 'left');
    for (const each of [question(log, 'one'), question(log, 'other'), left]) questions.add(each);
    questions.remove(left);
    port.reset();
    questions.add(question(log, 'late'));
    const error = { name: 'ConnectionClosedError', code: 1006 };
    expect(log).toMatchObject([
      ['one', error],
      ['other', error],
      ['late', error],
    ]);
  });

  it('are looked at once in a turn, however often it is stuck in it, and not when there are none any more', () => {
    const log: unknown[] = [];
    const scheduler = new VirtualTimeScheduler();
    const { connection, peer } = memoryConnection({ highWaterMark });
    const questions = questionsOf(connection as Connection, scheduler);
    peer(text('.'.repeat(2 * highWaterMark)));
    const [one, other] = [question(log, 'one'), question(log, 'other')];
    questions.add(one);
    connection.hold().unsubscribe();
    expect([scheduler.actions.length, log]).toEqual([1, []]);
    questions.remove(one);
    scheduler.flush();
    expect(log).toEqual([]);
    questions.add(other);
    scheduler.flush();
    expect(log).toMatchObject([['other', { code: 'ASK_BLOCKED' }]]);
  });

  it('may be opened and left by what the new room brings', () => {
    const scheduler = new VirtualTimeScheduler();
    for (const [isLeft, isAsked] of [
      [true, true],
      [true, false],
      [false, true],
    ]) {
      const { connection, peer, port } = memoryConnection({ highWaterMark });
      const questions = questionsOf(connection as Connection, scheduler);
      const [outer, inner] = [question([], 'outer'), question([], 'inner')];
      let pings = 0;
      connection.pings$.subscribe(() => {
        pings++;
        if (isAsked) questions.add(inner);
        if (isLeft) questions.remove(outer);
      });
      peer(text('.'.repeat(highWaterMark)), ping());
      expect(pings).toBe(0);
      questions.add(outer);
      expect([pings, questions.isReading]).toEqual([1, isAsked || !isLeft]);
      questions.remove(inner);
      questions.remove(outer);
      peer(text('.'));
      expect(port.isPaused).toBe(true);
    }
  });
});
