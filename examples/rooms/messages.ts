/** The protocol between clients and the server of the rooms: JSON in text messages. */
import { type Codec, json, type StandardSchema } from 'sluice';

/** The owner of a connection, from the server's `authenticate`. */
export interface User {
  readonly name: string;
}

/** A message of a client. */
export type Request =
  | { readonly type: 'join' | 'leave'; readonly room: string }
  | { readonly type: 'say'; readonly room: string; readonly text: string };

/** A message of the server. */
export type Event =
  | { readonly type: 'joined' | 'left'; readonly room: string; readonly name: string }
  | { readonly type: 'said'; readonly room: string; readonly name: string; readonly text: string };

/** Written by hand, to show all of it. With zod: `z.union([z.object({ type: z.enum(['join', 'leave']), room: z.string() }), ...])`. */
const Request: StandardSchema<Request> = {
  '~standard': {
    version: 1,
    vendor: 'rooms',
    validate: (value) => {
      const { type, room, text } = (value ?? {}) as Partial<Record<string, unknown>>;
      if (type !== 'join' && type !== 'leave' && type !== 'say') {
        return { issues: [{ message: 'expected join, leave or say', path: ['type'] }] };
      }
      if (typeof room !== 'string') return { issues: [{ message: 'expected a string', path: ['room'] }] };
      if (type !== 'say') return { value: { type, room } };
      if (typeof text !== 'string') return { issues: [{ message: 'expected a string', path: ['text'] }] };
      return { value: { type, room, text } };
    },
  },
};

/** The server trusts no client: an invalid request closes the connection with 1007. */
export const serverCodec: Codec<Request, Event> = { ...json(Request), encode: (event) => JSON.stringify(event) };

/** The client trusts its server. */
export const clientCodec: Codec<Event, Request> = json<Event, Request>();
