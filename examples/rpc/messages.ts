/** The protocol of both ends: JSON in text messages. */
import { type Codec, json, type StandardSchema } from 'sluice';

/** The methods, with their params and values. */
export interface Methods {
  readonly add: { readonly params: readonly number[]; readonly value: number };
  readonly wait: { readonly params: { readonly ms: number }; readonly value: string };
}
export type Method = keyof Methods;

/**
 * How many calls a client may have open at a time; further calls wait in the client. A server that accepts so many never holds a client
 * that respects this limit, so a cancellation never waits behind a call.
 */
export const MAX_CALLS = 16;

/** A message of the client. */
export type Request =
  | { readonly type: 'call'; readonly id: number; readonly method: string; readonly params: unknown }
  | { readonly type: 'cancel'; readonly id: number };

/** The reason for a missing value. The client itself reports the last two codes. */
export interface Failure {
  readonly code: 'NO_SUCH_METHOD' | 'BAD_PARAMS' | 'FAILED' | 'TIMEOUT' | 'LOST';
  readonly message: string;
}

/** The result of a call. */
export type Result<T> =
  | { readonly value: T; readonly error?: undefined }
  | { readonly error: Failure; readonly value?: undefined };

/** A message of the server. */
export type Reply = Result<unknown> & { readonly id: number };

/** Written by hand, to show all of it. With zod: `z.discriminatedUnion('type', [z.object({ type: z.literal('call'), ... }), ...])`. */
const Request: StandardSchema<Request> = {
  '~standard': {
    version: 1,
    vendor: 'rpc',
    validate: (found) => {
      const { type, id, method, params } = (found ?? {}) as Partial<Record<string, unknown>>;
      if (typeof id !== 'number') return { issues: [{ message: 'expected a number', path: ['id'] }] };
      if (type === 'cancel') return { value: { type, id } };
      if (type !== 'call') return { issues: [{ message: 'expected call or cancel', path: ['type'] }] };
      if (typeof method !== 'string') return { issues: [{ message: 'expected a string', path: ['method'] }] };
      return { value: { type, id, method, params } };
    },
  },
};

/** The server checks each request: an invalid one closes the connection with 1007. */
export const serverCodec: Codec<Request, Reply> = { ...json(Request), encode: (reply) => JSON.stringify(reply) };

/** The client trusts its server. */
export const clientCodec: Codec<Reply, Request> = json<Reply, Request>();
