/** What both ends of the calls agree on: JSON in text. */
import { type Codec, json, type StandardSchema } from 'sluice';

/** What can be called: what it takes, and what it gives. */
export interface Methods {
  readonly add: { readonly params: readonly number[]; readonly value: number };
  readonly wait: { readonly params: { readonly ms: number }; readonly value: string };
}
export type Method = keyof Methods;

/**
 * How many calls a client may have open at a time; it keeps back any more. A server that takes so many never holds a client that keeps to
 * this, so a cancellation never stands behind a call that waits.
 */
export const MAX_CALLS = 16;

/** What a client sends. */
export type Request =
  | { readonly type: 'call'; readonly id: number; readonly method: string; readonly params: unknown }
  | { readonly type: 'cancel'; readonly id: number };

/** Why there is no value. The last two are found by the client itself. */
export interface Failure {
  readonly code: 'NO_SUCH_METHOD' | 'BAD_PARAMS' | 'FAILED' | 'TIMEOUT' | 'LOST';
  readonly message: string;
}

/** What came of a call. */
export type Result<T> =
  | { readonly value: T; readonly error?: undefined }
  | { readonly error: Failure; readonly value?: undefined };

/** What the server sends. */
export type Reply = Result<unknown> & { readonly id: number };

/** By hand, to show all of it. With zod: `z.discriminatedUnion('type', [z.object({ type: z.literal('call'), ... }), ...])`. */
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

/** The server checks what a client sends: a request that does not fit closes with 1007. */
export const serverCodec: Codec<Request, Reply> = { ...json(Request), encode: (reply) => JSON.stringify(reply) };

/** The client believes its server. */
export const clientCodec: Codec<Reply, Request> = json<Reply, Request>();
