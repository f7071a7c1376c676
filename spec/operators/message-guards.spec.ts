import { expectTypeOf } from 'expect-type';
import { filter, type Observable } from 'rxjs';
import { isBinary, isText, type Message } from 'sluice';
import { testConnection } from 'sluice/testing';

describe('the type of a message', () => {
  it.each([
    ['a', true],
    ['', true],
    [Buffer.from('a'), false],
    [new ArrayBuffer(1), false],
    [new Blob(['a']), false],
  ])('of %p', (message, text) => {
    expect([isText(message), isBinary(message)]).toEqual([text, !text]);
  });

  it('is known behind filter, whatever binary messages come as', () => {
    const { messages$ } = testConnection<Message>();
    expectTypeOf(messages$.pipe(filter(isText))).toEqualTypeOf<Observable<string>>();
    expectTypeOf(messages$.pipe(filter(isBinary))).toEqualTypeOf<Observable<Uint8Array>>();
    const buffers = testConnection<string | ArrayBuffer>();
    expectTypeOf(buffers.messages$.pipe(filter(isBinary))).toEqualTypeOf<Observable<ArrayBuffer>>();
  });
});
