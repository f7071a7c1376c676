import { hex } from '../support/bits.js';
import { binary, close, closeOf, continuation, fragments, ping, text, wire } from '../support/frames.js';
import { memoryConnection } from '../support/memory-connection.js';
import { checkVector, drain, itSees, newSession, roles, sees } from '../support/vectors.js';

describe('the Close frame (RFC 6455 §5.5.1)', () => {
  itSees('without a payload', { sent: [closeOf()], seen: [sees.close(1005)] });
  itSees('with a code', { sent: [close(1000)], seen: [sees.close(1000)] });
  itSees('with a code and a reason', { sent: [close(1000, 'Hello World!')], seen: [sees.close(1000, 'Hello World!')] });
  itSees('with a reason of 123 bytes', {
    sent: [close(1000, '*'.repeat(123))],
    seen: [sees.close(1000, '*'.repeat(123))],
  });
  itSees('with a reason that is not ASCII', { sent: [close(1000, 'κόσμε')], seen: [sees.close(1000, 'κόσμε')] });
  itSees('of one byte', { sent: [closeOf('a')], seen: [sees.fail('CLOSE_PAYLOAD_TOO_SHORT')] });
  itSees('with a reason of 124 bytes', { sent: [close(1000, '*'.repeat(124))], seen: [sees.fail('CONTROL_TOO_LONG')] });

  for (const digits of ['ceba e1bdb9 cf83 cebc ceb5 eda080 656469746564', 'ff', 'c0af', '6869 e282']) {
    itSees(`with a reason that is not UTF-8: ${digits}`, {
      sent: [close(1000, hex(digits)), ping()],
      seen: [sees.fail('UTF8_INVALID', 1007)],
    });
  }
});

describe('the code of a Close frame (RFC 6455 §7.4)', () => {
  const valid = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
  for (const code of valid) {
    itSees(`${code} is echoed`, { sent: [close(code, 'reason')], seen: [sees.close(code, 'reason')] });
  }

  const invalid = [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535];
  for (const code of invalid) {
    itSees(`${code} fails the connection`, { sent: [close(code)], seen: [sees.fail('CLOSE_CODE_INVALID')] });
    itSees(`${code} with a reason fails the connection`, {
      sent: [close(code, 'reason')],
      seen: [sees.fail('CLOSE_CODE_INVALID')],
    });
  }
});

describe('after the Close frame (RFC 6455 §1.4, §5.5.1)', () => {
  itSees('what came before was seen', {
    sent: [text('Hello'), close(1000)],
    seen: [sees.message('Hello'), sees.close(1000)],
  });
  itSees('a second one is nothing', { sent: [close(1000), close(1001)], seen: [sees.close(1000)] });
  itSees('a ping is nothing', { sent: [close(1000), ping()], seen: [sees.close(1000)] });
  itSees('a message is nothing', { sent: [close(1000), text('Hello')], seen: [sees.close(1000)] });
  itSees('even a fault is nothing', { sent: [close(1000), binary('', { rsv: 7 })], seen: [sees.close(1000)] });
  itSees('the rest of a message is nothing', {
    sent: [text('fragment1', { fin: false }), close(1000), continuation('fragment2')],
    seen: [sees.close(1000)],
  });
  itSees('a large message before it is seen, a ping behind it is not', {
    sent: [text('*'.repeat(262_144)), close(1000), ping()],
    seen: [sees.message('*'.repeat(262_144)), sees.close(1000)],
  });
  itSees('a fragmented message before it is seen', {
    sent: [...fragments(1, 'abc', 1), close(1000)],
    seen: [sees.message('abc'), sees.close(1000)],
  });

  it.each(roles)('nothing is seen of a later chunk (as %s)', (role) => {
    const session = newSession(role);
    session.push(wire(role, [close(1000)]));
    expect(drain(session)).toEqual([sees.close(1000)]);
    session.push(wire(role, [text('late')]));
    session.push(hex('ff'));
    expect([drain(session), session.state]).toEqual([[], 'over']);
  });
});

describe('a Close frame that crosses ours (RFC 6455 §7.1.5)', () => {
  it.each(roles)('needs no reply, and messages before it are seen (as %s)', (role) => {
    const { connection, port, peer } = memoryConnection({ role });
    const seen: unknown[] = [];
    connection.messages$.subscribe((message) => seen.push(message));
    connection.close();
    peer(text('Hello'), close(1001, 'bye'), text('late'));
    expect({ seen, sent: port.frames.map(({ opcode }) => opcode) }).toEqual({ seen: ['Hello'], sent: [8] });
  });

  it.each(roles)('does not excuse a fault before it (as %s)', (role) => {
    const { connection, port, peer, closeInfos } = memoryConnection({ role });
    connection.close();
    peer(continuation('x'), close(1000));
    port.reset();
    expect(closeInfos).toMatchObject([{ code: 1002, error: { code: 'CONTINUATION_UNEXPECTED' } }]);
  });
});

describe('a Close frame that is answered (RFC 6455 §5.5.1)', () => {
  it.each([
    ['with a code', close(1001, 'bye'), '03e9'],
    ['without a code', closeOf(), ''],
  ])('gets its code and no reason: %s', (_, frame, reply) => {
    const { port, peer } = memoryConnection();
    peer(frame);
    expect(port.frames.map(({ opcode, payload }) => [opcode, payload.toString('hex')])).toEqual([[8, reply]]);
  });
});

describe('the transport', () => {
  it.each(roles)('may end without a Close frame, even within a frame (as %s)', (role) => {
    checkVector(role, { sent: [], seen: [] });
    checkVector(role, { sent: [text('Hello'), text('cut')], last: { payload: 1 }, seen: [sees.message('Hello')] });
    checkVector(role, { sent: [close(1000)], last: { payload: 1 }, seen: [] });
  });
});
