import * as zlib from 'node:zlib';
import { EMPTY, of, Subject } from 'rxjs';
import { fragments, message, type PerMessageDeflateOptions } from 'sluice';
import { takeDeflateTurn } from '../../src/channel/out/deflating.js';
import { deflate, inflate } from '../../src/protocol/deflate/deflate.js';
import { jsonText } from '../support/compressible.js';
import { binary, close, text } from '../support/frames.js';
import { memoryConnection } from '../support/memory-connection.js';
import { guardProcess } from '../support/process-guard.js';
import { readReservedFrames } from '../support/read-frames.js';
import { until } from '../support/until.js';

jest.mock('node:zlib', () => {
  const actual = jest.requireActual<typeof zlib>('node:zlib');
  return { ...actual, deflateRawSync: jest.fn(actual.deflateRawSync), deflateRaw: jest.fn(actual.deflateRaw) };
});

guardProcess();

const { deflateRawSync, deflateRaw } = zlib as jest.MockedObjectDeep<typeof zlib>;
beforeEach(() => {
  deflateRawSync.mockClear();
  deflateRaw.mockClear();
});

const MiB = 1_048_576;
const large = jsonText(100_000);
const compressed = (data: Buffer): Buffer => deflate(data, { windowBits: 15, level: 6, memLevel: 8 }, undefined, true);

/** A connection that agreed to compression, with or without context. */
function open(perMessageDeflate: PerMessageDeflateOptions = {}, maxPayload = MiB, keepsContext = false) {
  const deflate = {
    serverNoContextTakeover: !keepsContext,
    clientNoContextTakeover: !keepsContext,
    serverMaxWindowBits: 15,
    clientMaxWindowBits: 15,
  };
  return memoryConnection({ deflate, maxPayload, perMessageDeflate: { threshold: 0, ...perMessageDeflate } });
}

/** The messages that were sent, each of one frame: those that were compressed in brackets. */
function sent({ port }: ReturnType<typeof open>): string[] {
  return readReservedFrames(Buffer.concat(port.writes))
    .filter(({ opcode }) => opcode < 8)
    .map(({ rsv, payload }) => {
      if (rsv === 0) return payload.toString();
      return `[${inflate(payload, { window: undefined, limit: MiB, expected: 0 })}]`;
    });
}

/** Resolves when nothing is compressed in the thread pool, and nothing waits to be. */
function poolIsFree(): Promise<void> {
  return new Promise((resolve) => {
    const ends: (() => void)[] = [];
    for (let turn = 0; turn < 2; turn++) {
      takeDeflateTurn((done) => {
        if (ends.push(done) < 2) return;
        for (const end of ends) end();
        resolve();
      });
    }
  });
}

describe('a peer whose messages are large when inflated', () => {
  it('leaves the event loop to others after 4 MiB, and goes on in a later turn', () => {
    const { connection, peer, turn } = open({}, 2 * MiB);
    const sizes: number[] = [];
    connection.messages$.subscribe((data) => sizes.push(data.length));
    const zeros = compressed(Buffer.alloc(2 * MiB));
    peer(...Array.from({ length: 7 }, () => binary(zeros, { rsv: 4 })), text('last'));
    expect(sizes).toEqual([2 * MiB, 2 * MiB, 2 * MiB]);
    turn();
    expect(sizes).toHaveLength(6);
    turn();
    expect(sizes.slice(6)).toEqual([2 * MiB, 4]);
  });

  it('is not inflated while nobody wants its messages', () => {
    const { connection, peer } = open();
    const zeros = compressed(Buffer.alloc(MiB));
    peer(...Array.from({ length: 20 }, () => binary(zeros, { rsv: 4 })));
    expect(connection.stats.messagesReceived).toBe(1);
    expect(connection.stats.inboxBytes).toBeLessThan(MiB + 20 * (zeros.length + 8) + 200);
  });
});

describe('perMessageDeflate.compress', () => {
  it('decides for each message, and for the first part of one in parts', () => {
    const asked: unknown[] = [];
    const ends = open({
      compress: (data) => {
        asked.push(data.toString());
        return !data.toString().startsWith('no');
      },
    });
    for (const data of ['yes yes yes yes', 'no no no no no', message('no yes no yes', { compress: true })]) {
      ends.connection.send.next(data);
    }
    ends.connection.send.next(fragments(of('no no no', 'yes yes yes')));
    expect(asked).toEqual(['yes yes yes yes', 'no no no no no', 'no no no']);
    expect(sent(ends)).toEqual([
      '[yes yes yes yes]',
      'no no no no no',
      '[no yes no yes]',
      'no no no',
      'yes yes yes',
      '',
    ]);
  });

  it('may send, before the message that it is asked about', () => {
    const ends = open({
      compress: (data) => {
        if (data === 'outer outer outer') ends.connection.send.next('inner inner inner');
        return true;
      },
    });
    ends.connection.send.next('outer outer outer');
    expect(sent(ends)).toEqual(['[inner inner inner]', '[outer outer outer]']);
  });

  it('may begin a message in parts, that is not interrupted', () => {
    const parts = new Subject<string>();
    const ends = open({
      compress: (data) => {
        if (data === 'outer') ends.connection.send.next(fragments(parts));
        return false;
      },
    });
    ends.connection.send.next('outer');
    parts.next('part');
    parts.complete();
    expect(sent(ends)).toEqual(['part', '', 'outer']);
  });

  it.each(['close', 'terminate'] as const)('may %s, and nothing follows', (end) => {
    const ends = open({
      compress: () => {
        ends.connection[end]();
        return true;
      },
    });
    expect(ends.connection.trySend('too late, too late')).toBe('closed');
    ends.connection.send.next(fragments(of('too late')));
    expect(ends.port.frames.map(({ opcode }) => opcode)).toEqual(end === 'close' ? [8] : []);
  });

  it.each([
    ['a message', 'a message'],
    ['the first part', fragments(of('a', 'b'))],
    ['the end of a message without parts', fragments(EMPTY)],
    ['a part of an array', fragments(['a'])],
  ])('closes with 1011 when it throws: at %s', (_, data) => {
    const cause = new Error('broken');
    const { connection, port, closeInfos, peer, turn } = open({
      compress: () => {
        throw cause;
      },
    });
    connection.send.next(data);
    connection.send.next('late');
    expect(port.frames.map(({ opcode }) => opcode)).toEqual([8]);
    expect(port.frames[0]!.payload.readUInt16BE()).toBe(1011);
    peer(close(1011));
    port.finish();
    turn();
    expect(closeInfos).toHaveLength(1);
    expect(closeInfos[0]!.error).toMatchObject({ code: 'COMPRESS_FAILED', cause });
  });
});

describe('a large message', () => {
  it('is compressed beside the event loop, and others wait behind it in their order', async () => {
    const ends = open();
    const { connection } = ends;
    expect(['small small small', large, 'behind behind'].map((data) => connection.trySend(data))).toEqual([
      'sent',
      'sent',
      'buffered',
    ]);
    expect(connection.bufferedAmount).toBeGreaterThan(large.length);
    await until(() => connection.bufferedAmount === 0);
    expect(sent(ends)).toEqual(['[small small small]', `[${large}]`, '[behind behind]']);
    expect(deflateRaw).toHaveBeenCalledTimes(1);
  });

  it.each(['terminate', 'close', 'peer'] as const)(
    'is given up, or sent, once, when the connection ends: %s',
    async (end) => {
      const ends = open();
      const { connection, peer, closeInfos } = ends;
      const handed: unknown[] = [];
      let completions = 0;
      connection.send.subscribe({ next: (data) => handed.push(data), complete: () => completions++ });
      for (let index = 0; index < 3; index++) connection.send.next(large);
      if (end === 'peer') peer(close(1000));
      else connection[end]();
      await poolIsFree();
      await until(() => connection.bufferedAmount === 0);
      const count = end === 'terminate' ? 0 : 3;
      expect(sent(ends)).toHaveLength(count);
      if (end === 'close') peer(close(1000));
      if (end !== 'terminate') ends.port.finish();
      ends.turn();
      expect([handed.length, completions]).toEqual([count, 1]);
      expect(closeInfos).toHaveLength(1);
      expect(connection.stats.messagesDropped).toBe(3 - count);
      // One was under way when it was terminated: the others never began.
      expect(deflateRaw).toHaveBeenCalledTimes(end === 'terminate' ? 1 : 3);
    },
  );
});

describe('one message to many connections', () => {
  it('is compressed once', () => {
    const all = Array.from({ length: 50 }, () => open());
    const made = message(jsonText(2000));
    for (const { connection } of all) connection.send.next(made);
    expect(deflateRawSync).toHaveBeenCalledTimes(1);
    expect(new Set(all.map((each) => sent(each).join()))).toEqual(new Set([`[${jsonText(2000)}]`]));
  });

  it('is compressed once when it is large', async () => {
    const all = Array.from({ length: 50 }, () => open());
    const made = message(large);
    for (const { connection } of all) connection.send.next(made);
    await until(() => all.every(({ connection }) => connection.bufferedAmount === 0));
    expect(deflateRaw).toHaveBeenCalledTimes(1);
    expect(new Set(all.map((each) => sent(each).join()))).toEqual(new Set([`[${large}]`]));
  });

  it('is compressed for each that keeps context', () => {
    const all = Array.from({ length: 5 }, () => open({}, MiB, true));
    const made = message(jsonText(2000));
    for (const { connection } of all) connection.send.next(made);
    expect(deflateRawSync).toHaveBeenCalledTimes(5);
  });
});
