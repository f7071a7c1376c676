/** Messages that nothing subscribes to: the developer is told once for each server. */
import { VirtualTimeScheduler } from 'rxjs';
import { type Connection, type Mistake, openConnection, redirectMistakes, type ServeOptions, serve } from 'sluice';
import { connectionPair } from 'sluice/testing';
import { endAfterEach } from '../../support/end-after-each.js';
import { guardProcess } from '../../support/process-guard.js';
import { run } from '../../support/running-server.js';
import { until } from '../../support/until.js';

guardProcess();
const atEnd = endAfterEach();

let mistakes: Mistake[] = [];
beforeEach(() => {
  mistakes = [];
  redirectMistakes((mistake) => mistakes.push(mistake));
});

const MESSAGE =
  'messages$ has had no subscriber for 10 s while 1128 bytes wait, and reading from the peer has stopped; ' +
  'subscribe to messages$, or call ignoreMessages() if the messages do not matter';

interface Full {
  readonly connections: readonly Connection<undefined>[];
  readonly pass: (ms: number) => void;
}

/** A server whose first connections are full and not subscribed to, and its time. */
async function full(count: number, options: ServeOptions = {}): Promise<Full> {
  const scheduler = new VirtualTimeScheduler();
  const settings = { port: 0, host: '127.0.0.1', highWaterMark: 1_000, heartbeat: false, scheduler } as const;
  const server = serve({ ...settings, perMessageDeflate: false, ...options });
  const { port, connections, subscription } = await run(server);
  atEnd(() => subscription.unsubscribe());
  for (let i = 0; i < count; i++) {
    const conn = await openConnection(`ws://127.0.0.1:${port}/`);
    atEnd(() => conn.terminate());
    conn.send.next('x'.repeat(1_000));
    await until(() => connections[i]?.stats.messagesReceived === 1);
  }
  const pass = (ms: number): void => {
    scheduler.maxFrames = scheduler.frame + ms;
    scheduler.flush();
    scheduler.frame = scheduler.maxFrames;
  };
  return { connections, pass };
}

describe('messages that nothing subscribes to', () => {
  it('are told of when they have waited 10 s, once for each server', async () => {
    const { pass } = await full(2);
    pass(9_999);
    expect(mistakes).toEqual([]);
    pass(2);
    expect(mistakes).toEqual([{ kind: 'messages', message: MESSAGE }]);
    (await full(1)).pass(10_001);
    expect(mistakes).toHaveLength(2);
  });

  it('are not told of where they are subscribed to, held, or fewer than highWaterMark', async () => {
    const { connections, pass } = await full(3);
    connections[0]?.messages$.subscribe();
    connections[1]?.hold();
    connections[2]?.ignoreMessages();
    pass(10_001);
    (await full(1, { highWaterMark: 10_000 })).pass(10_001);
    expect(mistakes).toEqual([]);
  });

  it('are not told of when their connection has ended', async () => {
    const { connections, pass } = await full(1);
    connections[0]?.terminate();
    pass(10_001);
    expect(mistakes).toEqual([]);
  });

  it('are told of beside pausedTimeout, whichever comes first', async () => {
    const early = await full(1, { pausedTimeout: 5_000 });
    early.pass(10_001);
    expect([early.connections[0]?.readyState, mistakes]).toEqual([3, []]);
    const late = await full(1, { pausedTimeout: 15_000 });
    late.pass(10_001);
    expect([late.connections[0]?.readyState, mistakes.length]).toEqual([1, 1]);
  });

  it('are told of once for all clients of the process', () => {
    for (let i = 0; i < 2; i++) {
      const scheduler = new VirtualTimeScheduler();
      const { server } = connectionPair({ scheduler, client: { highWaterMark: 1_000 } });
      server.send.next(new Uint8Array(1_000));
      scheduler.flush();
    }
    expect(mistakes).toEqual([{ kind: 'messages', message: MESSAGE }]);
  });
});
