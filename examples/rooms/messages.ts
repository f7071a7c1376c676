/** What clients and the server of the rooms say to each other: JSON in text. */
import { type Codec, json, type StandardSchema } from 'sluice';

/** Who a connection belongs to: what the server's `authenticate` found out. */
export interface User {
  readonly name: string;
}

/** What a client says. */
export type Request =
  | { readonly type: 'join' | 'leave'; readonly room: string }
  | { readonly type: 'say'; readonly room: string; readonly text: string };

/** What the server says. */
export type Event =
  | { readonly type: 'joined' | 'left'; readonly room: string; readonly name: string }
  | { readonly type: 'said'; readonly room: string; readonly name: string; readonly text: string };

/** By hand, to show all of it. With zod: `z.union([z.object({ type: z.enum(['join', 'leave']), room: z.string() }), ...])`. */
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

/** The server believes nobody: a request that does not fit closes with 1007. */
export const serverCodec: Codec<Request, Event> = { ...json(Request), encode: (event) => JSON.stringify(event) };

/** The client believes its server. */
export const clientCodec: Codec<Event, Request> = json<Event, Request>();
