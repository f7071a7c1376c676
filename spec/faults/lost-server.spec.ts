/** A server that is killed, and comes back on its port: what its clients do. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { combineLatest, filter, firstValueFrom, map, type Observable, Subscription, shareReplay } from 'rxjs';
import { multiplex, type PersistentConnection, persistent } from 'sluice';
import { endAfterEach } from '../support/end-after-each.js';
import { guardProcess } from '../support/process-guard.js';
import { stopChild } from '../support/stop-child.js';

const CLIENTS = 500;

describe('a server that is killed', () => {
  guardProcess();
  const end = endAfterEach();

  /** Starts a server, and waits until it listens. */
  async function start(port = 0): Promise<{ child: ChildProcess; port: number }> {
    const child = fork('spec/faults/topic-server.ts', [String(port)], { execArgv: ['--import', 'tsx'] });
    end(() => stopChild(child));
    const [listening] = (await once(child, 'message')) as [number];
    return { child, port: listening };
  }

  it('gets all its clients back when it returns, with all that they had subscribed', async () => {
    const first = await start();
    const clients = Array.from({ length: CLIENTS }, () =>
      persistent(`ws://127.0.0.1:${first.port}`, { reconnect: { initial: 200, max: 1_000 } }),
    );
    const leases = new Subscription();
    end(() => leases.unsubscribe());
    const heard = clients.map((client, id) => {
      const latest$ = topic(client, `topic ${id}`).pipe(shareReplay(1));
      leases.add(latest$.subscribe());
      leases.add(client.open());
      return latest$;
    });
    await heardFrom(first.child, heard);
    const lost = Promise.all(clients.map(isWaiting));
    await stopChild(first.child);
    await lost;
    const second = await start(first.port);
    await heardFrom(second.child, heard);
    expect(clients.map(({ readyState }) => readyState)).toEqual(clients.map(() => 1));
  });
});

/** The ids of the processes that speak about a topic. */
function topic(client: PersistentConnection, name: string): Observable<number> {
  const belongs = (message: unknown): boolean => String(message).startsWith(`${name} from `);
  return multiplex(client, `+${name}`, `-${name}`, belongs).pipe(
    map((message) => Number(String(message).slice(`${name} from `.length))),
  );
}

/** Waits until the latest that all have heard is from one process. */
function heardFrom(child: ChildProcess, heard: readonly Observable<number>[]): Promise<unknown> {
  return firstValueFrom(combineLatest(heard).pipe(filter((ids) => ids.every((id) => id === child.pid))));
}

function isWaiting(client: PersistentConnection): Promise<unknown> {
  return firstValueFrom(client.state$.pipe(filter(({ type }) => type === 'waiting')));
}
