import { VirtualTimeScheduler } from 'rxjs';
import { flushAll } from '../../src/channel/flush-queue.js';
import { connectionOver } from '../../src/channel/open.js';
import { connectionSettings } from '../../src/channel/settings.js';
import type { CloseInfo, Message } from '../../src/connection/connection.js';
import type { LiveConnection } from '../../src/connection/live-connection.js';
import type { DeflateParameters } from '../../src/protocol/deflate/deflate-negotiation.js';
import type { Role } from '../../src/protocol/frame/opcode.js';
import { SimulatedPort } from '../lifecycle/simulation/network.js';
import { readWire } from '../lifecycle/simulation/wire-check.js';
import { plainFacts } from '../support/facts.js';

/** One end, and what it allows. */
interface ConversationOptions {
  readonly role: Role;
  readonly deflate: DeflateParameters | undefined;
  readonly maxPayload?: number;
  readonly maxFragments?: number;
}

/**
 * How a connection ends whose peer sends `input` and FIN, in pieces of a size that depends on the input.
 *
 * @throws Error when there is not exactly one end, or when more comes out than `input` and the limits allow.
 */
export function endOfConversation(input: Buffer, options: ConversationOptions): CloseInfo {
  const { role, deflate, ...limits } = options;
  const port = new SimulatedPort(Number.POSITIVE_INFINITY, true);
  const peer = new SimulatedPort(Number.POSITIVE_INFINITY, true);
  port.peer = peer;
  peer.peer = port;
  const connection = quietConnection(port, options);
  const infos: CloseInfo[] = [];
  let largest = 0;
  let ends = 0;
  connection.close$.subscribe((info) => infos.push(info));
  connection.messages$.subscribe({
    next: (message) => {
      largest = Math.max(largest, message.length);
    },
    complete: () => ends++,
  });
  connection.start();
  if (input.length > 0) peer.write([input]);
  peer.end();
  const size =
    ((input.length * 31 + (input[0] ?? 0)) % (input.length > 4_000 ? 65_536 : 40)) + (input.length > 4_000 ? 1_000 : 1);
  for (let turns = 0; !port.isQuiet && turns <= 2 * input.length + 10; turns++) {
    port.deliver(size);
    port.turn();
  }
  flushAll();
  const { messagesReceived, pingsReceived, pongsReceived } = connection.stats;
  const { maxPayload = role === 'server' ? 1_048_576 : 16_777_216 } = limits;
  const [info] = infos;
  if (infos.length !== 1 || info === undefined || ends !== 1) throw new Error(`${infos.length} records, ${ends} ends`);
  if (messagesReceived + pingsReceived + pongsReceived > input.length / 2) throw new Error('more came than was sent');
  if (largest > maxPayload) throw new Error(`a message of ${largest} bytes`);
  const faults = [...port.faults, ...readWire(role, port.log, true, deflate !== undefined).faults];
  if (faults.length > 0) throw new Error(`it ${faults}`);
  return info;
}

function quietConnection(
  port: SimulatedPort,
  { role, deflate, ...limits }: ConversationOptions,
): LiveConnection<undefined, Message> {
  const facts = plainFacts({ role, deflate });
  const scheduler = new VirtualTimeScheduler();
  return connectionOver(port, facts, connectionSettings({ heartbeat: false, scheduler, ...limits }, role));
}
