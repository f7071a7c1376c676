import type { Message } from '../connection/connection.js';
import type { Outgoing } from '../connection/outgoing.js';
import { InputConnection } from './input-connection.js';
import type { TestConnection, TestConnectionInputs } from './test-inputs.js';

/**
 * A connection for marble tests: inputs say what comes, outputs show what the application does, at which frame.
 *
 * Messages go through the inbox of real connections: without demand they wait, held or not, and their order and sharing are the same.
 * `close()` is answered in the same frame. It has no limits and no bytes: `connectionPair` has.
 *
 * @example
 * const conn = testConnection({ messages$: hot('-a-b-|') });
 * conn.messages$.pipe(sendTo(conn)).subscribe();
 * expectObservable(conn.sent$).toBe('          -a-b-|');
 */
export function testConnection(inputs?: TestConnectionInputs): TestConnection;
export function testConnection<Data>(
  inputs: TestConnectionInputs<Message, Data> & { readonly data: Data },
): TestConnection<Data>;
export function testConnection<In, Out = Outgoing, Data = undefined>(
  inputs?: TestConnectionInputs<In, Data>,
): TestConnection<Data, In, Out>;
export function testConnection<Data, In, Out>(
  inputs: TestConnectionInputs<In, Data> = {},
): TestConnection<Data, In, Out> {
  return new InputConnection<Data, In, Out>(inputs);
}
