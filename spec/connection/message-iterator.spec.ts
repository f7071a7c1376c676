import { close, text } from '../support/frames.js';
import { type MemoryConnection, memoryConnection } from '../support/memory-connection.js';
import { guardProcess } from '../support/process-guard.js';

guardProcess();

describe('iterating over the messages of a connection', () => {
  it('gives every message in order, and ends with the connection', async () => {
    const { connection, peer, port } = memoryConnection();
    peer(text('a'), text('b'));
    const seen: unknown[] = [];
    for await (const message of connection) {
      seen.push(message);
      if (message === 'b') {
        peer(text('c'), close(1000));
        port.finish();
        port.reset();
      }
    }
    expect(seen).toEqual(['a', 'b', 'c']);
  });

  it('holds while nothing is asked for: other subscribers wait with it', async () => {
    const { connection, peer } = memoryConnection();
    const iterator = connection[Symbol.asyncIterator]();
    const asked = iterator.next();
    const others = record(connection);
    peer(text('a'), text('b'), text('c'));
    expect(others).toEqual(['a']);
    await expect(asked).resolves.toEqual({ done: false, value: 'a' });
    expect(others).toEqual(['a']);
    await expect(iterator.next()).resolves.toEqual({ done: false, value: 'b' });
    expect(others).toEqual(['a', 'b']);
  });

  it('does nothing before it is asked', () => {
    const { connection, peer } = memoryConnection();
    connection[Symbol.asyncIterator]();
    peer(text('a'));
    expect(record(connection)).toEqual(['a']);
  });

  it('leaves the rest where it is on break, for the next one', async () => {
    const { connection, peer } = memoryConnection();
    peer(text('a'), text('b'), text('c'));
    for await (const message of connection) {
      expect(message).toBe('a');
      break;
    }
    const seen: unknown[] = [];
    for await (const message of connection) {
      seen.push(message);
      if (seen.length === 2) break;
    }
    expect(seen).toEqual(['b', 'c']);
    expect(connection.readyState).toBe(1);
  });

  it('leaves the rest when the body throws', async () => {
    const { connection, peer } = memoryConnection();
    peer(text('a'), text('b'));
    const loop = async (): Promise<void> => {
      for await (const message of connection) throw new Error(`found ${message}`);
    };
    await expect(loop()).rejects.toThrow('found a');
    expect(record(connection)).toEqual(['b']);
  });

  it('answers several questions that are open at once in their order', async () => {
    const { connection, peer } = memoryConnection();
    const iterator = connection[Symbol.asyncIterator]();
    const answers = Promise.all([iterator.next(), iterator.next(), iterator.next()]);
    const others = record(connection);
    peer(text('a'), text('b'), text('c'), text('d'));
    expect((await answers).map(({ value }) => value)).toEqual(['a', 'b', 'c']);
    expect(others).toEqual(['a', 'b', 'c']);
  });

  it('answers open questions at the end, and all later ones', async () => {
    const { connection, port } = memoryConnection();
    const iterator = connection[Symbol.asyncIterator]();
    const answers = [iterator.next(), iterator.next()];
    port.reset();
    const done = { done: true, value: undefined };
    expect(await Promise.all([...answers, iterator.next()])).toEqual([done, done, done]);
  });

  it('answers open questions when it is returned, and lets the others go on', async () => {
    const { connection, peer } = memoryConnection();
    const iterator = connection[Symbol.asyncIterator]();
    const answer = iterator.next();
    const others = record(connection);
    const done = { done: true, value: undefined };
    await expect(iterator.return?.()).resolves.toEqual(done);
    await expect(answer).resolves.toEqual(done);
    await expect(iterator.next()).resolves.toEqual(done);
    peer(text('a'));
    expect(others).toEqual(['a']);
  });

  it('gives what waits when the connection has ended, one by one', async () => {
    const { connection, peer, port } = memoryConnection();
    peer(text('a'), text('b'));
    port.reset();
    const seen: unknown[] = [];
    for await (const message of connection) seen.push(message);
    expect(seen).toEqual(['a', 'b']);
  });

  it('respects the holds of others', async () => {
    const { connection, peer } = memoryConnection();
    const hold = connection.hold();
    peer(text('a'));
    let isAnswered = false;
    const answer = connection[Symbol.asyncIterator]()
      .next()
      .then(({ value }) => {
        isAnswered = true;
        return value;
      });
    await Promise.resolve();
    expect(isAnswered).toBe(false);
    hold.unsubscribe();
    await expect(answer).resolves.toBe('a');
  });
});

describe('await using', () => {
  it('closes with 1000 and waits for the end', async () => {
    const { connection, port, peer } = memoryConnection();
    let isDisposed = false;
    const disposed = connection[Symbol.asyncDispose]().then(() => {
      isDisposed = true;
    });
    expect(port.frames.map(({ payload }) => payload.toString('hex'))).toEqual(['03e8']);
    peer(close(1000));
    await Promise.resolve();
    expect(isDisposed).toBe(false);
    port.reset();
    await disposed;
    await connection[Symbol.asyncDispose]();
  });
});

function record(connection: MemoryConnection['connection']): unknown[] {
  const seen: unknown[] = [];
  connection.messages$.subscribe((message) => seen.push(message));
  return seen;
}
