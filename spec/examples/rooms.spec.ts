import { filter, interval, map, NEVER, type Observable, Subject, timer } from 'rxjs';
import { connect, serve } from 'sluice';
import { reset, stallReads } from 'sluice/testing';
import { visit } from '../../examples/rooms/client.js';
import type { Event, Request, User } from '../../examples/rooms/messages.js';
import { rooms } from '../../examples/rooms/server.js';
import { Loopback } from '../support/loopback.js';
import { marbles } from '../support/marbles.js';
import { guardProcess } from '../support/process-guard.js';
import { RoomsWorld, type TestVisitor } from '../support/rooms-world.js';

const joined = (name: string, room = 'r'): Event => ({ type: 'joined', room, name });
const left = (name: string, room = 'r'): Event => ({ type: 'left', room, name });
const said = (name: string, text: string, room = 'r'): Event => ({ type: 'said', room, name, text });
const say = (text: string, room = 'r'): Request => ({ type: 'say', room, text });

describe('rooms', () => {
  guardProcess();

  it('tell who joins, what is said, and who leaves, to those who are there', () =>
    marbles(({ cold, expectObservable, scheduler }) => {
      const world = new RoomsWorld(() => scheduler.now());
      world.start();
      const [ann, bob, eve] = [world.visitor('Ann', 'r'), world.visitor('Bob', 'r'), world.visitor('Eve', 'other')];
      act(cold('     ---x', { x: say('hi') }), ann);
      act(cold('     ----x-y', { x: say('hello'), y: { type: 'leave', room: 'r' } as const }), bob);
      act(cold('     ---x---', { x: say('I am not there') }), eve);
      const names = { j: joined('Bob'), h: said('Ann', 'hi'), b: said('Bob', 'hello'), l: left('Bob') };
      expectObservable(ann.heard$, '^------').toBe('--j-b-l', names);
      expectObservable(bob.heard$, '--^----').toBe('---h---', names);
      expectObservable(eve.heard$, '^------').toBe('-------', names);
    }));

  it('are left by those whose connection is lost, and by those who go', () =>
    marbles(({ expectObservable, scheduler }) => {
      const world = new RoomsWorld(() => scheduler.now());
      world.start();
      const [ann, bob, eve] = [world.visitor('Ann', 'r'), world.visitor('Bob', 'r'), world.visitor('Eve', 'r')];
      scheduler.schedule(() => reset(bob.pairs[0]!.client), 4);
      const names = { b: joined('Bob'), c: left('Bob'), d: joined('Eve'), e: left('Eve') };
      expectObservable(ann.heard$, '^--------').toBe('-bd-c-e--', names);
      expectObservable(bob.heard$, '-^-------!').toBe('--d------', names);
      expectObservable(eve.heard$, '--^---!').toBe('----c----', names);
    }));

  it('close a client that talks nonsense with 1007, and nobody else', () =>
    marbles(({ expectObservable, scheduler }) => {
      const world = new RoomsWorld(() => scheduler.now());
      world.start();
      const [ann, bob] = [world.visitor('Ann', 'r'), world.visitor('Bob', 'r')];
      scheduler.schedule(() => bob.pairs[0]!.client.send.next('{"type":"shout"}'), 3);
      expectObservable(ann.heard$, '^--------').toBe('-j-l-----', { j: joined('Bob'), l: left('Bob') });
      const error = expect.objectContaining({
        code: 1007,
        reason: expect.stringMatching(/^invalid message: type: expected join/),
      });
      expectObservable(bob.heard$, '-^').toBe('---#', undefined, error);
    }));

  it('are found again after minutes without a server, with waits that grow', () =>
    marbles(({ expectObservable, scheduler, flush }) => {
      const world = new RoomsWorld(() => scheduler.now());
      world.start();
      const ann = world.visitor('Ann', 'r');
      scheduler.schedule(() => world.stop(), 60_000);
      scheduler.schedule(() => world.start(), 180_000);
      const bob = world.visitor('Bob', 'r');
      expectObservable(timer(200_000).pipe(map(() => ann.dialed))).toBe('200s (d|)', {
        d: [0, 60_500, 61_500, 63_500, 67_500, 75_500, 90_500, 105_500, 120_500, 135_500, 150_500, 165_500, 180_500],
      });
      expectObservable(ann.heard$, '^ 209999ms !').toBe('205s b', { b: joined('Bob') });
      expectObservable(bob.heard$, '205s ^ 4999ms !').toBe('');
      flush();
      expect(bob.dialed).toEqual([205_000]);
    }));

  it('do not wait for a slow consumer: it is closed with 1013, and comes back', () =>
    marbles(({ scheduler, flush }) => {
      const world = new RoomsWorld(() => scheduler.now());
      world.start();
      const [ann, bob, slow] = [world.visitor('Ann', 'r'), world.visitor('Bob', 'r'), world.visitor('Slow', 'r')];
      const heard: Record<string, Event[]> = { Bob: [], Slow: [] };
      const running = [
        ann.heard$.subscribe(),
        bob.heard$.subscribe((event) => heard.Bob!.push(event)),
        slow.heard$.subscribe((event) => heard.Slow!.push(event)),
      ];
      const stall = stallReads(slow.pairs[0]!.client);
      const talk = interval(100).subscribe((i) => ann.requests$.next(say(`${i} ${'x'.repeat(1_000)}`)));
      scheduler.schedule(() => stall.unsubscribe(), 60_000);
      scheduler.schedule(() => {
        talk.unsubscribe();
        for (const subscription of running) subscription.unsubscribe();
      }, 120_000);
      flush();
      expect(heard.Bob!.filter(({ type }) => type === 'said')).toHaveLength(1_199);
      expect(
        heard
          .Bob!.filter(({ name }) => name === 'Slow')
          .map(({ type }) => type)
          .slice(0, 3),
      ).toEqual(['joined', 'left', 'joined']);
      expect(slow.dialed).toHaveLength(2);
      expect(heard.Slow!.length).toBeGreaterThan(500);
    }));
});

describe('rooms over sockets', () => {
  guardProcess();
  const loopback = new Loopback();
  afterAll(() => loopback.end());

  it('are the same', async () => {
    const authenticate = ({ url = '/' }): User => ({
      name: new URL(url, 'ws://localhost').searchParams.get('name') ?? '',
    });
    const server = serve({ port: 0, host: '127.0.0.1', authenticate });
    const url = await loopback.serve(server as never, () => rooms(server));
    const requests$ = new Subject<Request>();
    const heard$ = (name: string): Observable<Event> =>
      visit(connect(`${url}/?name=${name}`), { rooms: ['r'], requests$: name === 'Ann' ? requests$ : NEVER });
    const bob = new Promise<Event>((resolve) => {
      const subscription = heard$('Bob')
        .pipe(filter(({ type }) => type === 'said'))
        .subscribe((event) => {
          resolve(event);
          subscription.unsubscribe();
        });
    });
    const ann = heard$('Ann').subscribe();
    const talk = interval(5).subscribe(() => requests$.next(say('hi')));
    expect(await bob).toEqual(said('Ann', 'hi'));
    talk.unsubscribe();
    ann.unsubscribe();
  });
});

function act(requests$: Observable<Request>, visitor: TestVisitor): void {
  requests$.subscribe((request) => visitor.requests$.next(request));
}
