import { inspectSymbol, plainUrl } from '../base/inspect.js';
import { type CloseInfo, type Connection, ReadyState } from './connection.js';

// biome-ignore lint/suspicious/noExplicitAny: the message types do not matter here
type AnyConnection = Connection<any, any, any>;

/** Internal fields that a connection prints besides its public members. */
export interface InnerFields {
  readonly role?: 'server' | 'client' | undefined;
  readonly inbox?: { readonly subscribers: number; readonly holds: number; readonly hasRoom: boolean };
  /** How the connection ended; undefined before that. */
  readonly close?: CloseInfo | undefined;
}

/** Returns the fields that a connection prints, in order. */
export function connectionFields(conn: AnyConnection, { role, inbox, close }: InnerFields = {}): object {
  const { messagesReceived, messagesSent, messagesDropped, bytesReceived, bytesSent, inboxBytes } = conn.stats;
  return {
    url: plainUrl(conn.url),
    state: stateName(conn.readyState),
    role,
    protocol: conn.protocol,
    remoteAddress: conn.remoteAddress,
    messagesReceived,
    messagesSent,
    messagesDropped,
    bytesReceived,
    bytesSent,
    inboxBytes,
    bufferedAmount: conn.bufferedAmount,
    subscribers: inbox?.subscribers,
    holds: inbox?.holds,
    isPaused: inbox === undefined || conn.readyState !== ReadyState.OPEN ? undefined : !inbox.hasRoom,
    close,
  };
}

/** Returns the fields to print for any `Connection`: its own fields if it is one of sluice's classes. */
export function fieldsOf(conn: AnyConnection): object {
  const own = (conn as { readonly [inspectSymbol]?: () => unknown })[inspectSymbol]?.();
  return typeof own === 'object' && own !== null && own !== conn ? own : connectionFields(conn);
}

/** The name of a {@link ReadyState}, such as `OPEN`. */
export function stateName(state: ReadyState): string {
  return Object.keys(ReadyState)[state] as string;
}
