import type { Observable } from 'rxjs';
import { inspectSymbol } from '../base/inspect.js';
import type { Message } from '../connection/connection.js';
import { LiveConnection } from '../connection/live-connection.js';
import type { Outgoing } from '../connection/outgoing.js';
import { ScriptChannel } from './script-channel.js';
import type { Closed, TestConnection, TestConnectionInputs } from './test-inputs.js';

/**
 * Makes a connection for marble tests: inputs script what the peer does, outputs show what the application does, and in which frame.
 *
 * Messages go through the inbox of real connections: without demand they wait, held or not, and their order and sharing are the same.
 * `close()` is answered in the same frame. It has no limits and no bytes: use `connectionPair` for those.
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
  return new ScriptedConnection<Data, In, Out>(inputs);
}

/** A live connection over a script, with the outputs of the script. */
class ScriptedConnection<Data, In, Out> extends LiveConnection<Data, In, Out> implements TestConnection<Data, In, Out> {
  readonly sent$: Observable<Out>;
  readonly closed$: Observable<Closed>;
  readonly demand$: Observable<boolean>;

  constructor(inputs: TestConnectionInputs<In, Data>) {
    const channel = new ScriptChannel<In, Out>(inputs);
    const { data, url = '/', protocol = '' } = inputs;
    super(channel, {
      data: data as Data,
      url,
      protocol,
      extensions: [],
      protocolVersion: 13,
      remoteAddress: undefined,
    });
    this.sent$ = channel.sent$;
    this.closed$ = channel.closed$;
    this.demand$ = channel.demand$;
    this.start();
  }

  /** @internal */
  override [inspectSymbol](): object {
    return this.printedAs('TestConnection');
  }
}
