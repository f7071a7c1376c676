import { expectTypeOf } from 'expect-type';
import { firstValueFrom, type Observable, of } from 'rxjs';
import { type Connection, fragments, message, type Outgoing } from 'sluice';
import { describe as describeValue } from '../../src/base/describe.js';
import { unsendable } from '../../src/connection/outgoing.js';
import { UsageError } from '../../src/protocol/errors.js';
import { memoryConnection } from '../support/memory-connection.js';
import { guardProcess } from '../support/process-guard.js';
import { until } from '../support/until.js';

guardProcess();

const BYTES = Buffer.from('00ff10', 'hex');

function arrayBuffer(): ArrayBuffer {
  return new Uint8Array(BYTES).buffer;
}

function shared(): SharedArrayBuffer {
  return new SharedArrayBuffer(3);
}

function detached(): ArrayBuffer {
  const buffer = arrayBuffer();
  structuredClone(buffer, { transfer: [buffer] });
  return buffer;
}

/** The first frame that a connection sends for `value`. */
async function frameOf(value: Outgoing): Promise<{ opcode: number; payload: string }> {
  const { connection, port } = memoryConnection();
  connection.send.next(value);
  await firstValueFrom(connection.flush());
  const [first, ...others] = port.frames;
  expect(others).toEqual([]);
  connection.terminate();
  return { opcode: first!.opcode, payload: first!.payload.toString('hex') };
}

describe('what can be sent (RFC 6455 §5.6)', () => {
  const text: [string, Outgoing, string][] = [
    ['a string', 'h\u00e9', '68c3a9'],
    ['an empty string', '', ''],
    ['a string with a byte order mark, U+0000 and a noncharacter', '\ufeff\0\uffff', 'efbbbf00efbfbf'],
    ['a string with a lone surrogate, as U+FFFD', 'a\ud800b', '61efbfbd62'],
    ['bytes of text', message(Buffer.from('h\u00e9'), { binary: false }), '68c3a9'],
    ['a Blob of text', message(new Blob(['h\u00e9']), { binary: false }), '68c3a9'],
  ];
  it.each(text)('is text: %s', async (_, value, payload) => {
    expect(await frameOf(value)).toEqual({ opcode: 1, payload });
  });

  const binary: [string, () => Outgoing][] = [
    ['a Buffer', () => Buffer.from(BYTES)],
    ['an ArrayBuffer', arrayBuffer],
    ['a Uint8Array', () => new Uint8Array(BYTES)],
    ['a Uint8Array in the middle of its buffer', () => new Uint8Array([9, ...BYTES, 9]).subarray(1, 4)],
    ['an Int8Array', () => new Int8Array(arrayBuffer())],
    ['a Uint8ClampedArray', () => new Uint8ClampedArray(arrayBuffer())],
    ['a DataView', () => new DataView(arrayBuffer())],
    ['a DataView in the middle of its buffer', () => new DataView(new Uint8Array([9, ...BYTES, 9]).buffer, 1, 3)],
    ['a Blob', () => new Blob([BYTES])],
    ['a File', () => new File([BYTES], 'name.bin')],
    ['a message', () => message(Buffer.from(BYTES))],
    ['a message of a Blob', () => message(new Blob([BYTES]))],
  ];
  it.each(binary)('is binary: %s', async (_, value) => {
    expect(await frameOf(value())).toEqual({ opcode: 2, payload: '00ff10' });
  });

  it.each([
    ['Uint16Array', Uint16Array, '0100ff00'],
    ['Int32Array', Int32Array, '01000000ff000000'],
    ['Float32Array', Float32Array, '0000803f00007f43'],
    ['Float64Array', Float64Array, '000000000000f03f0000000000e06f40'],
  ] as const)('is binary: the memory of a %s', async (_, Type, payload) => {
    expect(await frameOf(new Type([1, 255]))).toEqual({ opcode: 2, payload });
  });

  it('is binary: the memory of a BigInt64Array', async () => {
    expect(await frameOf(new BigInt64Array([1n]))).toEqual({ opcode: 2, payload: '0100000000000000' });
  });

  it('is binary: a string of which that is asked', async () => {
    expect(await frameOf(message('h\u00e9', { binary: true }))).toEqual({ opcode: 2, payload: '68c3a9' });
  });

  it.each([
    ['an ArrayBuffer', new ArrayBuffer(0)],
    ['a view', new Uint8Array(0)],
    ['a Blob', new Blob([])],
  ])('is an empty message: %s without bytes', async (_, value) => {
    expect(await frameOf(value)).toEqual({ opcode: 2, payload: '' });
  });
});

describe('what cannot be sent', () => {
  const allowed = 'allowed is a string, ArrayBuffer, ArrayBufferView, Blob, message(...) or fragments(...)';
  const refused: [string, () => unknown, string][] = [
    ['undefined', () => undefined, 'undefined'],
    ['null', () => null, 'null'],
    ['an object', () => ({ a: 1 }), 'a Object'],
    ['an array', () => [1, 2], 'a Array'],
    ['a number', () => 42, '42'],
    ['a bigint', () => 42n, '42'],
    ['a boolean', () => true, 'true'],
    ['a symbol', () => Symbol('s'), 'Symbol(s)'],
    ['a function', () => () => {}, 'a function'],
    ['a date', () => new Date(), 'a Date'],
    ['an Observable', () => of('a'), 'a Object'],
    ['a promise', () => Promise.resolve('a'), 'a Promise'],
    ['a SharedArrayBuffer', shared, 'a SharedArrayBuffer'],
    ['a view of one', () => new Uint8Array(shared()), 'a Uint8Array of a SharedArrayBuffer'],
    ['a DataView of one', () => new DataView(shared()), 'a DataView of a SharedArrayBuffer'],
    ['a detached ArrayBuffer', detached, 'a detached ArrayBuffer'],
    ['a view of one that was detached', () => viewOfDetached(), 'a detached ArrayBuffer'],
    ['a message of nothing', () => message(undefined as never), 'undefined'],
    ['a message of a message', () => message(message('a') as never), 'a Object'],
  ];

  function viewOfDetached(): Uint8Array {
    const view = new Uint8Array(BYTES);
    structuredClone(view.buffer, { transfer: [view.buffer] });
    return view;
  }

  it.each(refused)('closes with 1011 and says why, and is not thrown: %s', (_, value, found) => {
    const { connection, port, closeInfos, turn } = memoryConnection();
    expect(() => connection.send.next(value() as never)).not.toThrow();
    expect(port.frames.map(({ opcode }) => opcode)).toEqual([8]);
    expect(port.frames[0]!.payload.readUInt16BE()).toBe(1011);
    port.reset();
    turn();
    expect(closeInfos.map(({ error }) => error)).toEqual([expect.any(UsageError)]);
    expect(closeInfos[0]!.error!.message).toBe(`cannot send ${found}, ${allowed}`);
    expect(closeInfos[0]!.error).toMatchObject({ code: 'UNSUPPORTED_DATA' });
  });

  it.each(refused)('is thrown by trySend, and nothing else happens: %s', (_, value, found) => {
    const { connection, port } = memoryConnection();
    expect(() => connection.trySend(value() as never)).toThrow(
      new UsageError('UNSUPPORTED_DATA', `cannot send ${found}, ${allowed}`),
    );
    expect(port.writes).toEqual([]);
    expect(connection.trySend('fine')).toBe('sent');
  });

  it('includes bytes that are to be text and are not', async () => {
    const { connection } = memoryConnection();
    expect(() => connection.trySend(message(BYTES, { binary: false }))).toThrow(/bytes of valid UTF-8/);
    const { connection: other, closeInfos, port } = memoryConnection();
    other.send.next(message(new Blob([BYTES]), { binary: false }));
    await until(() => port.writes.length > 0);
    expect(port.frames.map(({ opcode }) => opcode)).toEqual([8]);
    port.reset();
    expect(closeInfos[0]!.error).toMatchObject({ code: 'UTF8_INVALID' });
  });

  it('is refused though the connection is hostile to looking at it', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const { connection, port } = memoryConnection();
    connection.send.next(proxy as never);
    expect(port.frames.map(({ opcode }) => opcode)).toEqual([8]);
  });
});

describe('wrong options', () => {
  it('of a message are thrown', () => {
    expect(() => message('a', { binary: 1 as never })).toThrow(new TypeError('binary must be true or false, got 1'));
    expect(() => fragments([], { binary: null as never })).toThrow(TypeError);
  });

  it('of fragments are thrown', () => {
    for (const chunks of ['text', 5, undefined]) expect(() => fragments(chunks as never)).toThrow(TypeError);
    for (const timeout of [0, -1, Number.NaN, 2 ** 31, Number.POSITIVE_INFINITY]) {
      expect(() => fragments([], { timeout })).toThrow(/timeout must be milliseconds above 0 and below 2\^31, got .*/);
    }
  });
});

describe('the types', () => {
  it('do not let an Observable be sent by mistake', () => {
    expectTypeOf<Observable<string>>().not.toExtend<Outgoing>();
    expectTypeOf<Promise<string>>().not.toExtend<Outgoing>();
    expectTypeOf<number>().not.toExtend<Outgoing>();
    expectTypeOf<{ a: number }>().not.toExtend<Outgoing>();
    expectTypeOf<undefined>().not.toExtend<Outgoing>();
    // @ts-expect-error: flatten it first, or say fragments(...)
    const send = (conn: Connection): void => conn.send.next(of('a'));
    expect(send).toBeDefined();
  });

  it('let everything be sent that can be', () => {
    expectTypeOf<string | ArrayBuffer | DataView | Float64Array | Blob | File>().toExtend<Outgoing>();
    expectTypeOf(fragments(of('a'))).toExtend<Outgoing>();
    expectTypeOf(message('a')).toExtend<Outgoing>();
  });
});

describe('names of values, for messages of errors', () => {
  it.each([
    ['text', '"text"'],
    ['x'.repeat(50), `"${'x'.repeat(40)}..."`],
    [null, 'null'],
    [undefined, 'undefined'],
    [{}, 'a Object'],
    [() => {}, 'a function'],
  ])('of %p is %p', (value, name) => {
    expect(describeValue(value)).toBe(name);
  });

  it('are found without reading what cannot be read', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(describeValue(proxy)).toBe('a Proxy');
  });
});

describe('what was thrown while a value was looked at', () => {
  it('is a UsageError as it is, and the cause of one otherwise', () => {
    const error = new UsageError('UTF8_INVALID', 'a');
    expect(unsendable(error)).toBe(error);
    const cause = new RangeError('trapped');
    expect(unsendable(cause)).toMatchObject({
      code: 'UNSUPPORTED_DATA',
      message: 'cannot send a value that throws when it is read: trapped',
      cause,
    });
  });
});
