/** Values that a program can throw and that are hard to read: what says what was thrown must not throw itself. */

function throwing(): never {
  throw new Error('cannot be read');
}

/** Every trap of a handler throws. */
const everyTrap: ProxyHandler<object> = new Proxy({}, { get: () => throwing });

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function errorWithGetters(): Error {
  const error = new Error('hidden');
  for (const name of ['message', 'name', 'code', 'closeCode', 'reason', 'uptime', 'headers', 'cause']) {
    Object.defineProperty(error, name, { get: throwing });
  }
  return error;
}

const values = (): readonly (readonly [what: string, value: unknown])[] => [
  ['undefined', undefined],
  ['null', null],
  ['a Symbol', Symbol('thrown')],
  ['a BigInt', 5n],
  ['an object without a prototype', Object.create(null)],
  ['an object whose toString throws', { toString: throwing }],
  ['an object whose message throws', Object.defineProperty({}, 'message', { get: throwing })],
  ['an Error whose properties throw', errorWithGetters()],
  ['an object whose message has no text', { message: Object.create(null) as unknown }],
  ['a frozen Error', Object.freeze(new Error('frozen'))],
  ['a Proxy that throws on every trap', new Proxy({}, everyTrap)],
  ['a Proxy of a function that throws on every trap', new Proxy(() => {}, everyTrap)],
  ['a Proxy of an Error whose properties throw', new Proxy(new Error('hidden'), { get: throwing })],
  ['a revoked Proxy', revoked()],
];

/** What there is. Jest looks into what a table holds, so a table holds only these names. */
export const hostileNames: readonly string[] = values().map(([what]) => what);

/** The value of this name, made anew: some are changed by those who get them. */
export function hostileValue(name: string): unknown {
  return values().find(([what]) => what === name)?.[1];
}
