import { Subject, type Subscription } from 'rxjs';
import type { CloseInfo } from '../../src/connection/connection.js';
import { ConnectionStreams } from '../../src/connection/endings.js';
import { ScriptChannel } from '../../src/testing/script-channel.js';

const info = { code: 1000, reason: '', wasClean: true, initiator: 'peer' } as const;

describe('the Observables of a connection', () => {
  it('give pings and pongs to those who are there', () => {
    const streams = streamsOf();
    const seen: string[] = [];
    streams.ping(Buffer.from('early'));
    streams.pings$.subscribe((data) => seen.push(`ping ${data}`));
    streams.pongs$.subscribe((data) => seen.push(`pong ${data}`));
    streams.ping(Buffer.from('a'));
    streams.pong(Buffer.from('b'));
    expect(seen).toEqual(['ping a', 'pong b']);
  });

  it('complete pings and pongs before the record, and the record before the last word', () => {
    const streams = streamsOf();
    const hold = holding(streams);
    const log: string[] = [];
    streams.onFinished({ finished: () => log.push('finished') });
    streams.closed.value$.subscribe({ complete: () => log.push('closed') });
    for (const each$ of [streams.pings$, streams.pongs$]) each$.subscribe({ complete: () => log.push('no more') });
    streams.ended(info);
    expect([log, streams.info]).toEqual([[], info]);
    streams.settled();
    expect(log).toEqual(['no more', 'no more', 'closed']);
    hold.unsubscribe();
    expect(log.at(-1)).toBe('finished');
  });

  it('complete pings and pongs at once for those who ask after the end', () => {
    const streams = streamsOf();
    streams.ended(info);
    streams.settled();
    let completed = 0;
    for (const each$ of [streams.pings$, streams.pongs$]) each$.subscribe({ complete: () => completed++ });
    expect(completed).toBe(2);
  });

  it('tell all who wait for the last word, and who asks later', () => {
    const streams = streamsOf();
    const hold = holding(streams);
    const log: string[] = [];
    const listener = (name: string) => ({ finished: ({ code }: CloseInfo) => log.push(`${name} ${code}`) });
    for (const name of ['first', 'second', 'third']) streams.onFinished(listener(name));
    streams.ended(info);
    streams.settled();
    expect(log).toEqual([]);
    hold.unsubscribe();
    streams.onFinished(listener('late'));
    expect(log).toEqual(['first 1000', 'second 1000', 'third 1000', 'late 1000']);
  });

  it('end the sending side first', () => {
    const send = new Subject<never>();
    const end = jest.fn(() => send.complete());
    const streams = streamsOf(end);
    streams.ended(info);
    expect([end.mock.calls.length, send.isStopped]).toEqual([1, true]);
  });
});

function streamsOf(endSend: () => void = () => {}): ConnectionStreams<string> {
  return new ConnectionStreams(new ScriptChannel<string, never>({}), { endSend });
}

/** A hold that keeps back a message. */
function holding({ inbox }: ConnectionStreams<string>): Subscription {
  const hold = inbox.hold();
  inbox.put('a', 1);
  return hold;
}
