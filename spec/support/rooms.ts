/** The rooms of `src`, from the lowest to the highest, and what each may import. `spec/architecture.spec.ts` checks it. */

/** What the files of one room may import besides each other. Anything that is not named here is forbidden. */
export interface Room {
  /** A line for the picture. */
  readonly is: string;
  /** Rooms from which it may import values. */
  readonly values: readonly string[];
  /** Folders of other rooms from which it may import values. */
  readonly parts?: readonly string[];
  /** Rooms from which it may import any types, but values only from files that, with all their imports, need no module of Node. */
  readonly neutral?: readonly string[];
  /** Rooms from which it may import any types, but values only from files that, with all their imports, do not need rxjs. */
  readonly withoutRxjs?: readonly string[];
  /** Rooms from which it may import only types. */
  readonly types?: readonly string[];
  /** Which modules of Node it may import: `true` for any, `'types'` for their types, or modules, each with the files that may import it. */
  readonly node: true | 'types' | Readonly<Record<string, RegExp>>;
  readonly rxjs: readonly string[];
}

const lower = ['base', 'protocol', 'connection', 'channel'];

/** A room is a folder of `src`; the folders in it are parts of the same room. */
export const rooms: Readonly<Record<string, Room>> = {
  base: {
    is: 'general tools, without WebSockets',
    values: [],
    node: {},
    rxjs: ['rxjs'],
  },
  protocol: {
    is: 'the RFCs: bytes in, values out',
    values: [],
    withoutRxjs: ['base'],
    node: { 'node:buffer': /./, 'node:crypto': /^accept-key\.ts$/, 'node:zlib': /^deflate\.ts$/ },
    rxjs: [],
  },
  connection: {
    is: 'what applications use',
    values: ['base'],
    neutral: ['protocol'],
    node: 'types',
    rxjs: ['rxjs'],
  },
  operators: {
    is: 'operators on connections',
    values: ['base', 'connection'],
    neutral: ['protocol'],
    node: {},
    rxjs: ['rxjs'],
  },
  channel: {
    is: 'messages as frames over bytes',
    values: ['base', 'protocol', 'connection'],
    node: { 'node:crypto': /^random\.ts$/ },
    rxjs: ['rxjs'],
  },
  net: { is: 'sockets, upgrades, dialing: Node', values: lower, node: true, rxjs: ['rxjs'] },
  session: { is: 'one connection over several', values: ['base', 'connection'], node: {}, rxjs: ['rxjs'] },
  server: {
    is: 'serve, accept, hooks, admission',
    values: [...lower, 'net'],
    parts: ['operators/typed'],
    node: 'types',
    rxjs: ['rxjs'],
  },
  client: {
    is: 'connect, persistent',
    values: [...lower, 'net', 'operators'],
    node: 'types',
    rxjs: ['rxjs'],
  },
  testing: {
    is: 'test doubles',
    values: [...lower, 'net'],
    types: ['server'],
    node: {},
    rxjs: ['rxjs', 'rxjs/testing'],
  },
  browser: {
    is: 'sluice in a browser',
    values: ['base', 'connection', 'operators'],
    neutral: ['protocol'],
    node: {},
    rxjs: ['rxjs'],
  },
  bus: { is: 'many processes', values: ['base'], types: ['operators'], node: {}, rxjs: ['rxjs'] },
};
