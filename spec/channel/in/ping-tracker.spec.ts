import { PingTracker } from '../../../src/channel/in/ping-tracker.js';

describe('matching pongs to pings (RFC 6455 §5.5.3)', () => {
  it('answers the ping with the payload, with the time since it was sent', () => {
    const { tracker, send, log, wait } = tracked();
    send('a');
    wait(5);
    tracker.received(Buffer.from('a'));
    expect([log, tracker.latency]).toEqual([['a answered after 5'], 5]);
  });

  it('answers all that were sent before, since a peer may answer only the latest', () => {
    const { tracker, send, log, wait } = tracked();
    send('a');
    wait(5);
    send('b');
    send('c');
    wait(2);
    tracker.received(Buffer.from('b'));
    expect(log).toEqual(['a answered after 7', 'b answered after 2']);
    tracker.received(Buffer.from('c'));
    expect(log).toHaveLength(3);
  });

  it('answers the oldest of several with the same payload', () => {
    const { tracker, send, log, wait } = tracked();
    send('a');
    wait(1);
    send('a');
    tracker.received(Buffer.from('a'));
    expect(log).toEqual(['a answered after 1']);
    tracker.received(Buffer.from('a'));
    expect(log).toEqual(['a answered after 1', 'a answered after 0']);
  });

  it('takes one that answers nothing for unsolicited, and one that comes again', () => {
    const { tracker, send, log } = tracked();
    tracker.received(Buffer.from('x'));
    expect(tracker.latency).toBeUndefined();
    send('a');
    tracker.received(Buffer.from('a'));
    tracker.received(Buffer.from('a'));
    expect(log).toEqual(['a answered after 0']);
  });

  it('forgets a ping that nobody waits for any more', () => {
    const { tracker, send, log } = tracked();
    send('a')();
    send('b');
    tracker.received(Buffer.from('b'));
    expect(log).toEqual(['b answered after 0']);
  });

  it('gives up all that is outstanding at the end, once', () => {
    const { tracker, send, log } = tracked();
    send('a');
    send('b');
    tracker.end();
    tracker.end();
    tracker.received(Buffer.from('b'));
    expect(log).toEqual(['a lost', 'b lost']);
  });

  it('makes payloads of which no two are the same', () => {
    const { tracker } = tracked();
    const payloads = Array.from({ length: 1_000 }, () => tracker.nextPayload().toString('hex'));
    expect(new Set(payloads).size).toBe(1_000);
  });
});

interface Tracked {
  readonly tracker: PingTracker;
  readonly log: string[];
  send(payload: string): () => void;
  wait(ms: number): void;
}

function tracked(): Tracked {
  let now = 1_000;
  const log: string[] = [];
  const tracker = new PingTracker(() => now);
  return {
    tracker,
    log,
    send: (payload) =>
      tracker.sent(
        Buffer.from(payload),
        (time) => log.push(`${payload} answered after ${time}`),
        () => log.push(`${payload} lost`),
      ),
    wait: (ms) => {
      now += ms;
    },
  };
}
