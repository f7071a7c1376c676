/** A cable that can be cut: two network namespaces, and a pair of virtual devices between them. */
import { execFileSync } from 'node:child_process';
import type { Place } from './one-end.js';

/** What is cut: all, or what one side sends. */
export type Cut = 'both' | 'from server' | 'from client';

/** A network of two. Its addresses are of TEST-NET-1, RFC 5737. */
export class Cable {
  readonly server: Place;
  readonly client: Place;
  readonly #names: readonly [string, string];

  private constructor(names: readonly [string, string]) {
    this.#names = names;
    this.server = { prefix: ['ip', 'netns', 'exec', names[0]], address: '192.0.2.1' };
    this.client = { prefix: ['ip', 'netns', 'exec', names[1]], address: '192.0.2.2' };
  }

  /** @throws Error where this machine does not permit it: it takes root, iproute2 and namespaces. */
  static lay(name: string): Cable {
    const names = [`${name}-server`, `${name}-client`] as const;
    try {
      for (const each of names) ip('netns', 'add', each);
      ip('link', 'add', 'cable', 'netns', names[0], 'type', 'veth', 'peer', 'name', 'cable', 'netns', names[1]);
      for (const [index, each] of names.entries()) {
        ip('-n', each, 'address', 'add', `192.0.2.${index + 1}/30`, 'dev', 'cable');
        ip('-n', each, 'link', 'set', 'cable', 'up');
      }
      return new Cable(names);
    } catch (error) {
      new Cable(names).remove();
      throw error;
    }
  }

  /** From now on, what is sent does not arrive, and nobody is told. */
  cut(what: Cut): void {
    const [server, client] = this.#names;
    if (what === 'both') ip('-n', server, 'link', 'set', 'cable', 'down');
    else if (what === 'from server') misdirect(server, this.client.address);
    else misdirect(client, this.server.address);
  }

  remove(): void {
    for (const name of this.#names) {
      try {
        ip('netns', 'delete', name);
      } catch {
        // It was not there.
      }
    }
  }
}

/** Frames with the hardware address of nobody are thrown away at the other end. */
function misdirect(namespace: string, address: string): void {
  const nobody = '02:00:00:00:00:99';
  ip('-n', namespace, 'neighbor', 'replace', address, 'lladdr', nobody, 'dev', 'cable', 'nud', 'permanent');
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
