import fc from 'fast-check';
import { type InterceptorKey, Interceptors } from '../../src/connection/interceptors.js';

/** Interceptors of texts, and what each was shown. */
class Scene {
  readonly interceptors = new Interceptors<string>();
  readonly shown: string[] = [];
  readonly failures: unknown[] = [];

  /** @param wanted what it takes; all when it is not given. */
  add(name: string, wanted?: string, key?: Omit<InterceptorKey<string>, 'failed'>): () => void {
    const take = (message: string): boolean => {
      this.shown.push(`${name} ${message}`);
      return wanted === undefined || message === wanted;
    };
    const failed = (error: unknown): void => void this.failures.push([name, error]);
    return this.interceptors.add(take, key === undefined ? undefined : { ...key, failed });
  }
}

const first = (message: string): string => message.charAt(0);
const last = (message: string): string => message.charAt(message.length - 1);

describe('interceptors', () => {
  it('are asked in the order of coming, until one takes the message', () => {
    const scene = new Scene();
    const { interceptors, shown } = scene;
    const leave = scene.add('a', 'x');
    scene.add('b', 'y');
    expect({ x: interceptors.offer('x'), y: interceptors.offer('y'), z: interceptors.offer('z') }).toEqual({
      x: true,
      y: true,
      z: false,
    });
    leave();
    leave();
    expect([interceptors.offer('x'), interceptors.isEmpty]).toEqual([false, false]);
    expect(shown).toEqual(['a x', 'a y', 'b y', 'a z', 'b z', 'b x']);
  });

  it('may be the same function twice', () => {
    const interceptors = new Interceptors<string>();
    const take = (): boolean => true;
    const leave = interceptors.add(take);
    interceptors.add(take)();
    expect(interceptors.offer('a')).toBe(true);
    leave();
    expect([interceptors.offer('a'), interceptors.isEmpty]).toEqual([false, true]);
  });

  describe('with a key', () => {
    it('are shown only messages of that key, for one call of each key function', () => {
      const scene = new Scene();
      let calls = 0;
      const of = (message: string): string => {
        calls++;
        return first(message);
      };
      for (const value of 'abcdefgh') scene.add(value, undefined, { of, value });
      scene.add('last', undefined, { of: last, value: 'z' });
      expect(['b1', 'y1', '1z'].map((message) => scene.interceptors.offer(message))).toEqual([true, false, true]);
      expect([scene.shown, calls]).toEqual([['b b1', 'last 1z'], 3]);
    });

    it('have a message before all that came later, whatever those look at', () => {
      const scene = new Scene();
      const key = { of: first, value: 'a' };
      scene.add('1', 'no');
      const leave = scene.add('2', undefined, key);
      scene.add('3');
      scene.add('4', undefined, key);
      scene.add('5', undefined, { of: last, value: 'z' });
      expect(scene.interceptors.offer('a-z')).toBe(true);
      leave();
      expect(scene.interceptors.offer('a-z')).toBe(true);
      expect(scene.shown).toEqual(['1 a-z', '2 a-z', '1 a-z', '3 a-z']);
    });

    it('are compared as the keys of a Map', () => {
      const interceptors = new Interceptors<number>();
      const key = { of: (message: number) => message, failed: () => {} };
      interceptors.add(() => true, { ...key, value: Number.NaN });
      interceptors.add(() => true, { ...key, value: 0 });
      expect([Number.NaN, -0, 1].map((message) => interceptors.offer(message))).toEqual([true, true, false]);
    });

    it('fail together when their key function throws, and the message goes to the others', () => {
      const scene = new Scene();
      const failure = new Error('no JSON');
      const of = (): never => {
        throw failure;
      };
      const leave = scene.add('a', undefined, { of, value: 1 });
      scene.add('b', undefined, { of, value: 2 });
      scene.add('c', undefined, { of, value: 1 });
      scene.add('d');
      leave();
      expect(scene.interceptors.offer('x')).toBe(true);
      expect(scene.failures).toEqual([
        ['b', failure],
        ['c', failure],
      ]);
      expect(scene.shown).toEqual(['d x']);
    });

    it('leave no trace', () => {
      const { interceptors } = new Scene();
      let calls = 0;
      const of = (): number => ++calls;
      const leaves = [1, 2].map((value) => interceptors.add(() => false, { of, value, failed: () => {} }));
      interceptors.add(() => false);
      interceptors.offer('a');
      for (const leave of leaves) leave();
      interceptors.offer('a');
      expect(calls).toBe(1);
    });
  });

  describe('that come or leave while a message is shown', () => {
    it('see the next message, or none any more, wherever it happens', () => {
      for (const where of ['key', 'take']) {
        const scene = new Scene();
        let isDone = false;
        const change = (): void => {
          if (isDone) return;
          isDone = true;
          leaveFirst();
          leaveKeyed();
          scene.add('new', undefined);
          scene.add('new keyed', undefined, { of: first, value: 'a' });
          scene.add('new function', undefined, { of: last, value: 'a' });
        };
        scene.interceptors.add(() => {
          if (where === 'take') change();
          return false;
        });
        const of = (): undefined => {
          if (where === 'key') change();
        };
        scene.interceptors.add(() => true, { of, value: 1, failed: () => {} });
        const leaveFirst = scene.add('left');
        const leaveKeyed = scene.add('left keyed', undefined, { of: first, value: 'a' });
        expect([scene.interceptors.offer('a'), scene.shown]).toEqual([false, []]);
        expect([scene.interceptors.offer('a'), scene.shown]).toEqual([true, ['new a']]);
      }
    });

    it('go on with those that came before, when the one that is asked leaves, and all around it', () => {
      const scene = new Scene();
      const leaves = ['a', 'b'].map((name) => scene.add(name, 'no'));
      leaves.push(
        scene.interceptors.add(() => {
          for (const leave of leaves) leave();
          return false;
        }),
      );
      leaves.push(scene.add('c', 'no'), scene.add('d', 'no'));
      scene.add('e', 'no');
      scene.interceptors.offer('x');
      expect(scene.shown).toEqual(['a x', 'b x', 'e x']);
    });

    it('do not fail for the key of the message that was there before them', () => {
      const scene = new Scene();
      const of = (message: string): string => {
        if (message === 'x') scene.add('new', undefined, { of, value: 'a' });
        throw message;
      };
      const leave = scene.add('old', undefined, { of, value: 'a' });
      scene.interceptors.offer('x');
      leave();
      scene.interceptors.offer('y');
      expect(scene.failures).toEqual([
        ['old', 'x'],
        ['new', 'y'],
      ]);
    });
  });

  it('give each message to the oldest that it is for, whoever came and left before', () => {
    const step = fc.record({
      kind: fc.constantFrom('match', 'first', 'last', 'leave', 'offer'),
      at: fc.nat({ max: 9 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
        const interceptors = new Interceptors<string>();
        const open: { readonly id: number; isFor(message: string): boolean; leave(): void }[] = [];
        let taken: number | undefined;
        steps.forEach(({ kind, at }, id) => {
          const wanted = `${at % 3}`;
          const take = (): boolean => {
            taken = id;
            return true;
          };
          if (kind === 'leave') open.splice(at % Math.max(1, open.length), 1)[0]?.leave();
          else if (kind === 'offer') {
            const message = `${at % 3}${(at + id) % 3}`;
            taken = undefined;
            expect(interceptors.offer(message)).toBe(open.some(({ isFor }) => isFor(message)));
            expect(taken).toBe(open.find(({ isFor }) => isFor(message))?.id);
          } else if (kind === 'match') {
            const isFor = (message: string): boolean => message.includes(wanted);
            open.push({ id, isFor, leave: interceptors.add((message) => isFor(message) && take()) });
          } else {
            const of = kind === 'first' ? first : last;
            const leave = interceptors.add(take, { of, value: wanted, failed: () => {} });
            open.push({ id, isFor: (message) => of(message) === wanted, leave });
          }
          expect(interceptors.isEmpty).toBe(open.length === 0);
        });
      }),
    );
  });
});
