import { type Subscription, timer } from 'rxjs';
import { type CloseInfo, type Connection, demandMap } from 'sluice';
import { type ConnectionPair, type ConnectionPairOptions, connectionPair, stallReads } from 'sluice/testing';
import { type Marbles, marbles } from '../support/marbles.js';

const MINUTE = 60_000;
/** The defaults of `heartbeat`. */
const INTERVAL = 30_000;
const TIMEOUT = 30_000;
const STALLED = 120_000;
/** The first ping has been answered by then. */
const LATER = 31_000;

const message = Buffer.alloc(65_536, 'x');
const messages = 160;

type End = keyof ConnectionPair;

/** Two ends with the heartbeat that every connection has by default. */
interface Conversation {
  /** Sends. */
  readonly sender: Connection<unknown>;
  /** Is to receive what that sends. */
  readonly held: Connection<unknown>;
  /** How much has arrived, in messages. */
  readonly arrived: () => number;
  /** When an end closed before the test was over, and why. */
  readonly closes: readonly string[];
  /** The sender sends 10 MiB. */
  readonly fill: () => void;
}

function conversation(
  { scheduler, flush }: Marbles,
  sends: End,
  options: ConnectionPairOptions,
  body: (talk: Conversation) => void,
): void {
  // Ten megabytes are to be ten megabytes on the way too.
  const bare = { perMessageDeflate: false, heartbeat: {} } as const;
  const pair = connectionPair({
    ...options,
    client: { ...bare, ...options.client },
    server: { ...bare, ...options.server },
  });
  const [sender, held] = sends === 'client' ? [pair.client, pair.server] : [pair.server, pair.client];
  const closes: string[] = [];
  let arrived = 0;
  for (const name of ['client', 'server'] as const) {
    pair[name].close$.subscribe((info) => closes.push(`${name} ${scheduler.now()} ${why(info)}`));
  }
  sender.messages$.subscribe();
  held.messages$.subscribe(() => arrived++);
  const fill = (): void => {
    for (let i = 0; i < messages; i++) sender.send.next(message);
  };
  // Heartbeats go on for ever.
  scheduler.schedule(() => {
    closes.push('the end');
    pair.client.terminate();
  }, 120 * MINUTE);
  body({ sender, held, arrived: () => arrived, closes, fill });
  flush();
}

function why({ code, error }: CloseInfo): string {
  return error === undefined ? `${code}` : `${code} ${error.message}`;
}

/** Undone after a time. */
function during(ms: number, { scheduler }: Marbles, what: () => Subscription): void {
  const doing = what();
  scheduler.schedule(() => doing.unsubscribe(), ms);
}

describe.each<End>(['client', 'server'])('a peer that stands still while the %s sends to it', (sends) => {
  /** Only the sender watches: a process that hangs does not, and its timers stand still too. */
  const watchedBy = {
    client: { heartbeat: false as const },
    server: { heartbeat: false as const },
    [sends]: { heartbeat: {} },
  };

  it('may hold for three minutes after its first answer, and loses nothing', () =>
    marbles((helpers) => {
      conversation(helpers, sends, {}, ({ held, fill, arrived, closes }) => {
        helpers.scheduler.schedule(() => {
          during(3 * MINUTE, helpers, () => held.hold());
          fill();
        }, LATER);
        helpers.scheduler.schedule(() => expect(arrived()).toBe(0), LATER + 3 * MINUTE - 1);
        helpers.scheduler.schedule(
          () => expect({ arrived: arrived(), closes }).toEqual({ arrived: messages, closes: [] }),
          100 * MINUTE,
        );
      });
    }));

  it('may hold for an hour after its first answer', () =>
    marbles((helpers) => {
      conversation(helpers, sends, {}, ({ held, fill, arrived, closes }) => {
        helpers.scheduler.schedule(() => {
          during(60 * MINUTE, helpers, () => held.hold());
          fill();
        }, LATER);
        helpers.scheduler.schedule(
          () => expect({ arrived: arrived(), closes }).toEqual({ arrived: messages, closes: [] }),
          100 * MINUTE,
        );
      });
    }));

  it('may hold for 100 s from the beginning, without having seen a ping', () =>
    marbles((helpers) => {
      conversation(helpers, sends, {}, ({ held, fill, arrived, closes }) => {
        during(100_000, helpers, () => held.hold());
        fill();
        helpers.scheduler.schedule(() => expect(arrived()).toBe(0), 99_999);
        helpers.scheduler.schedule(
          () => expect({ arrived: arrived(), closes }).toEqual({ arrived: messages, closes: [] }),
          100 * MINUTE,
        );
      });
    }));

  it('may hang for 100 s, so that it gives no sign of life', () =>
    marbles((helpers) => {
      conversation(helpers, sends, watchedBy, ({ held, fill, arrived, closes }) => {
        helpers.scheduler.schedule(() => {
          during(100_000, helpers, () => stallReads(held));
          fill();
        }, LATER);
        helpers.scheduler.schedule(
          () => expect({ arrived: arrived(), closes }).toEqual({ arrived: messages, closes: [] }),
          100 * MINUTE,
        );
      });
    }));

  it('may take one message in ten seconds, with all of them on their way', () =>
    marbles((helpers) => {
      // The sender sees no progress: the network has taken everything.
      conversation(helpers, sends, { socketBuffer: 16 * 1024 * 1024 }, ({ held, fill, arrived, closes }) => {
        let taken = 0;
        held.messages$.pipe(demandMap(() => timer(10_000), 1)).subscribe(() => taken++);
        helpers.scheduler.schedule(fill, LATER);
        helpers.scheduler.schedule(
          () =>
            expect({ taken, arrived: arrived(), closes }).toEqual({ taken: messages, arrived: messages, closes: [] }),
          100 * MINUTE,
        );
      });
    }));

  it('may read slowly for long without a word, as long as something leaves', () =>
    marbles((helpers) => {
      conversation(helpers, sends, watchedBy, ({ held, fill, arrived, closes }) => {
        held.messages$.pipe(demandMap(() => timer(20_000), 1)).subscribe();
        helpers.scheduler.schedule(fill, LATER);
        helpers.scheduler.schedule(
          () => expect({ arrived: arrived(), closes }).toEqual({ arrived: messages, closes: [] }),
          100 * MINUTE,
        );
      });
    }));

  it('is given up within interval and timeout when it is dead with nothing in front of the ping', () =>
    marbles((helpers) => {
      conversation(helpers, sends, watchedBy, ({ sender, held, fill, closes }) => {
        fill();
        helpers.scheduler.schedule(() => stallReads(held), LATER);
        helpers.scheduler.schedule(() => expect(closes).toEqual([]), LATER + TIMEOUT - 16_000);
        helpers.scheduler.schedule(
          () => {
            expect(closes.join()).toContain(`1006 no byte came for ${TIMEOUT} ms after a ping`);
            expect(sender.readyState).toBe(3);
          },
          LATER + INTERVAL + TIMEOUT,
        );
      });
    }));

  it('is given up within stalledTimeout and timeout when it is dead with messages in front of the ping', () =>
    marbles((helpers) => {
      conversation(helpers, sends, watchedBy, ({ sender, held, fill, closes }) => {
        helpers.scheduler.schedule(() => {
          stallReads(held);
          fill();
        }, LATER);
        helpers.scheduler.schedule(() => expect(closes).toEqual([]), LATER + STALLED);
        helpers.scheduler.schedule(
          () => {
            expect(closes.join()).toContain(`1006 no byte came or went for ${STALLED} ms`);
            expect(sender.readyState).toBe(3);
          },
          LATER + STALLED + TIMEOUT,
        );
      });
    }));

  it('is given up in the same time when something small is sent to it again and again', () =>
    marbles((helpers) => {
      conversation(helpers, sends, watchedBy, ({ sender, held, closes }) => {
        helpers.scheduler.schedule(() => stallReads(held), LATER);
        for (let second = 0; second < 200; second++) {
          helpers.scheduler.schedule(() => sender.send.next('tick'), LATER + second * 1_000);
        }
        helpers.scheduler.schedule(
          () => expect(closes.join()).toContain('1006 no byte came or went'),
          LATER + STALLED + TIMEOUT,
        );
      });
    }));
});

describe('two ends that both hold', () => {
  it('do not give each other up', () =>
    marbles((helpers) => {
      conversation(helpers, 'client', {}, ({ sender, held, fill, arrived, closes }) => {
        let back = 0;
        sender.messages$.subscribe(() => back++);
        helpers.scheduler.schedule(() => {
          for (const end of [sender, held]) during(60 * MINUTE, helpers, () => end.hold());
          fill();
          for (let i = 0; i < messages; i++) held.send.next(message);
        }, LATER);
        helpers.scheduler.schedule(
          () => expect({ arrived: arrived(), back, closes }).toEqual({ arrived: messages, back: messages, closes: [] }),
          100 * MINUTE,
        );
      });
    }));

  it('are bounded by pausedTimeout', () =>
    marbles((helpers) => {
      const end = { heartbeat: {}, pausedTimeout: 10 * MINUTE };
      conversation(helpers, 'client', { server: end, client: end }, ({ sender, held, fill, closes }) => {
        for (const each of [sender, held]) each.hold();
        fill();
        for (let i = 0; i < messages; i++) held.send.next(message);
        helpers.scheduler.schedule(
          () => expect(closes.join()).toContain('server 600000 1006 messages$ had no demand for 600000 ms'),
          11 * MINUTE,
        );
      });
    }));
});

describe('a held end', () => {
  it.each<[string, NonNullable<ConnectionPairOptions['server']>]>([
    ['heartbeat: false', { heartbeat: false }],
    ['autoPong: false', { heartbeat: {}, autoPong: false }],
  ])('gives no sign of life with %s', (_, server) =>
    marbles((helpers) => {
      conversation(helpers, 'client', { server }, ({ sender, held, fill }) => {
        let pongs = 0;
        held.pings$.subscribe((ping) => held.pong(ping));
        helpers.scheduler.schedule(() => {
          sender.pongs$.subscribe(() => pongs++);
          held.hold();
          fill();
        }, LATER);
        helpers.scheduler.schedule(() => expect(pongs).toBe(0), LATER + 2 * MINUTE);
      });
    }),
  );

  it('gives no sign of life to a peer that has not pinged', () =>
    marbles((helpers) => {
      conversation(helpers, 'client', { client: { heartbeat: false } }, ({ sender, held, fill }) => {
        let pongs = 0;
        sender.pongs$.subscribe(() => pongs++);
        helpers.scheduler.schedule(() => {
          pongs = 0;
          held.hold();
          fill();
        }, LATER);
        helpers.scheduler.schedule(() => expect(pongs).toBe(0), LATER + 2 * MINUTE);
      });
    }));

  it('answers no ping by its signs of life, and measures nothing by them', () =>
    marbles((helpers) => {
      conversation(helpers, 'client', {}, ({ sender, held, fill }) => {
        const roundTrips: number[] = [];
        const signs: number[] = [];
        helpers.scheduler.schedule(() => {
          during(MINUTE, helpers, () => held.hold());
          fill();
          sender.pongs$.subscribe(({ length }) => signs.push(length));
          for (const payload of ['', 'x']) sender.ping(payload).subscribe((time) => roundTrips.push(time));
        }, LATER);
        helpers.scheduler.schedule(
          () =>
            expect({ roundTrips, signs, latency: sender.latency }).toEqual({
              roundTrips: [],
              signs: [0, 0, 0],
              latency: 0,
            }),
          LATER + MINUTE - 1,
        );
        helpers.scheduler.schedule(() => expect(roundTrips).toEqual([MINUTE, MINUTE]), LATER + MINUTE + 1);
      });
    }));

  it('stops to give signs of life when it reads on', () =>
    marbles((helpers) => {
      conversation(helpers, 'client', {}, ({ sender, held, fill }) => {
        const signs: number[] = [];
        sender.pongs$.subscribe(({ length }) => length === 0 && signs.push(helpers.scheduler.now() - LATER));
        helpers.scheduler.schedule(() => {
          during(MINUTE + 1, helpers, () => held.hold());
          fill();
        }, LATER);
        helpers.scheduler.schedule(() => expect(signs).toEqual([15_000, 30_000, 45_000, 60_000]), LATER + 60 * MINUTE);
      });
    }));
});

describe('a conversation that ends', () => {
  it.each<[string, (end: Connection<unknown>) => void]>([
    ['terminate()', (end) => end.terminate()],
    ['close()', (end) => end.close()],
  ])('leaves no timer behind after %s of a held end', (_, finish) =>
    marbles(({ scheduler, flush }) => {
      const { client, server } = connectionPair({ client: { heartbeat: {} }, server: { heartbeat: {} } });
      scheduler.schedule(() => {
        server.hold();
        for (let i = 0; i < 3; i++) client.send.next(message);
      }, LATER);
      scheduler.schedule(() => finish(server), 2 * MINUTE);
      flush();
      expect(scheduler.now()).toBeLessThanOrEqual(2 * MINUTE + 20_000);
      expect(scheduler.actions).toEqual([]);
    }),
  );
});
