import { expectTypeOf } from 'expect-type';
import { of } from 'rxjs';
import { accept, type Connection, type DataOf, reject, type ServeOptions, serve, type WebSocketServer } from 'sluice';

interface User {
  readonly id: number;
}

declare const found: User | undefined;
declare const isKnown: boolean;
const user: User = { id: 7 };

/** Type-checks `calls`, which are never made. */
function typesOf(calls: () => void): void {
  expect(typeof calls).toBe('function');
}

type Data<S> = S extends WebSocketServer<infer D, infer _> ? D : never;
const dataOf = <S>(_server: S): Data<S> => undefined as Data<S>;

describe('the type of authenticate', () => {
  it('has no undefined, null, void, false or Error, and no Promise or Observable within another', () => {
    typesOf(() => {
      // @ts-expect-error undefined
      serve({ port: 0, authenticate: () => undefined });
      // @ts-expect-error undefined or a User
      serve({ port: 0, authenticate: async () => found });
      // @ts-expect-error null or a User
      serve({ port: 0, authenticate: () => of(found ?? null) });
      // @ts-expect-error void
      serve({ port: 0, authenticate: () => {} });
      serve({
        port: 0,
        // @ts-expect-error nothing where it agrees
        authenticate: async (request) => {
          if (request.url === '/') return reject(401);
        },
      });
      // @ts-expect-error false or a User
      serve({ port: 0, authenticate: () => isKnown && user });
      // @ts-expect-error an Error or a User
      serve({ port: 0, authenticate: async () => found ?? new TypeError('who?') });
      // @ts-expect-error an Observable within a Promise
      serve({ port: 0, authenticate: async () => of(user) });
      // @ts-expect-error the same for accept
      accept({ authenticate: async () => found });
    });
  });

  it('has data, the empty text and 0 too, true, and what has a name and a message', () => {
    typesOf(() => {
      expectTypeOf(dataOf(serve({ port: 0, authenticate: async () => found ?? reject(401) }))).toEqualTypeOf<User>();
      expectTypeOf(dataOf(serve({ port: 0, authenticate: () => '' }))).toEqualTypeOf<string>();
      expectTypeOf(dataOf(serve({ port: 0, authenticate: () => 0 }))).toEqualTypeOf<number>();
      expectTypeOf(dataOf(serve({ port: 0, authenticate: async () => true }))).toEqualTypeOf<true>();
      expectTypeOf(dataOf(serve({ port: 0, authenticate: () => isKnown || reject(401) }))).toEqualTypeOf<true>();
      expectTypeOf(dataOf(serve({ port: 0, authenticate: () => reject(503) }))).toEqualTypeOf<undefined>();
      const greeting = { name: 'Ann', message: 'hello' };
      expectTypeOf(dataOf(serve({ port: 0, authenticate: () => greeting }))).toEqualTypeOf<typeof greeting>();
      const unknown: unknown = user;
      expectTypeOf(dataOf(serve({ port: 0, authenticate: () => unknown }))).toEqualTypeOf<unknown>();
    });
  });

  it('goes through options that have a type of their own', () => {
    typesOf(() => {
      const options: ServeOptions<User> = { port: 0, authenticate: () => user };
      expectTypeOf(dataOf(serve(options))).toEqualTypeOf<User>();
      expectTypeOf(dataOf(serve({ ...options, maxPayload: 1 }))).toEqualTypeOf<User>();
      const plain: ServeOptions = { port: 0 };
      expectTypeOf(dataOf(serve({ ...plain, maxPayload: 1 }))).toEqualTypeOf<undefined>();
      const any: ServeOptions<unknown>[] = [options, plain];
      expectTypeOf(dataOf(serve(any[0]!))).toEqualTypeOf<unknown>();
    });
  });
});

describe('the type of its result', () => {
  it('comes to the hooks that are written after it', () => {
    typesOf(() => {
      serve({
        port: 0,
        authenticate: async (request) => (request.url === '/' ? user : reject(401)),
        handleProtocols: (_, __, data) => {
          expectTypeOf(data).toEqualTypeOf<User>();
          return undefined;
        },
        headers: (_, __, data) => expectTypeOf(data).toEqualTypeOf<User>(),
        limitBy: [{ max: 20 }, { max: 3, dataKey: ({ id }) => String(id) }, { max: 9, key: ({ url }) => url }],
      });
    });
  });

  it('is undefined without it', () => {
    typesOf(() => {
      serve({ port: 0, headers: (_, __, data) => expectTypeOf(data).toEqualTypeOf<undefined>() });
    });
  });

  it('is DataOf what it returns', () => {
    expectTypeOf<DataOf<User>>().toEqualTypeOf<User>();
    expectTypeOf<DataOf<boolean>>().toEqualTypeOf<true>();
    expectTypeOf<DataOf<never>>().toEqualTypeOf<undefined>();
    expectTypeOf<DataOf<unknown>>().toEqualTypeOf<unknown>();
    typesOf(() => accept({ authenticate: () => user })(of()).subscribe((conn: Connection<User>) => conn.data.id));
  });
});
