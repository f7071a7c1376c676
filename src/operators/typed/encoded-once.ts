import type { Outgoing } from '../../connection/outgoing.js';
import { type SharedMessage, shareMessage } from '../../connection/shared-message.js';

const encoded = new WeakMap<object, WeakMap<SharedMessage, SharedMessage<Outgoing>>>();

/**
 * What `shared` is when it is encoded: made by the first connection of each codec, and used by the others.
 *
 * @throws what `encode` throws.
 */
export function encodedOnce<Out>(
  codec: object,
  shared: SharedMessage<Out>,
  encode: (value: Out) => Outgoing,
): SharedMessage<Outgoing> {
  let messages = encoded.get(codec);
  if (messages === undefined) {
    messages = new WeakMap();
    encoded.set(codec, messages);
  }
  const known = messages.get(shared);
  if (known !== undefined) return known;
  const message = shareMessage(encode(shared.value));
  messages.set(shared, message);
  return message;
}
