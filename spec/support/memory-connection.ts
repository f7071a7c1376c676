/** Connections over memory, so that their whole life is seen in virtual time or in one turn of the loop. */
import { plainFacts } from './facts.js';
import '../../src/net/diagnostics.js';
import { type SchedulerLike, VirtualTimeScheduler } from 'rxjs';
import type { CompressionOption } from '../../src/channel/deflate-options.js';
import { connectionOver } from '../../src/channel/open.js';
import { type ConnectionOptions, connectionSettings } from '../../src/channel/settings.js';
import type { CloseInfo, Message } from '../../src/connection/connection.js';
import type { LiveConnection } from '../../src/connection/live-connection.js';
import type { DeflateParameters } from '../../src/protocol/deflate/deflate-negotiation.js';
import { type Frame, wire } from './frames.js';
import { PeerPort } from './peer-port.js';

/** A connection and the peer's end of it. */
export interface MemoryConnection {
  readonly connection: LiveConnection<undefined, Message>;
  readonly port: PeerPort;
  /** Each record of `close$`. */
  readonly closeInfos: CloseInfo[];
  /** The peer sends frames, in one chunk. */
  peer(...frames: Frame[]): void;
  /** The turns of the loop that are due, all of them. With a scheduler they come by themselves. */
  turn(): void;
}

interface MemoryOptions extends ConnectionOptions, CompressionOption {
  readonly role?: 'server' | 'client';
  /** The parameters of permessage-deflate, where it was agreed to. */
  readonly deflate?: DeflateParameters;
  /** From 0 to 1: where chance puts what is spread over many connections. @default 0.5 */
  readonly random?: number;
}

/** A connection over memory that is open. No heartbeat, unless one is asked for; without a scheduler no time passes. */
export function memoryConnection({
  role = 'server',
  deflate,
  random = 0.5,
  ...options
}: MemoryOptions = {}): MemoryConnection {
  const due: (() => void)[] = [];
  const { scheduler } = options;
  const port = new PeerPort(scheduler === undefined ? (task) => due.push(task) : onScheduler(scheduler));
  const facts = plainFacts({ role, deflate });
  const settings = connectionSettings({ heartbeat: false, scheduler: new VirtualTimeScheduler(), ...options }, role);
  const connection = connectionOver<undefined, Message>(port, facts, { ...settings, random: () => random });
  const closeInfos: CloseInfo[] = [];
  connection.close$.subscribe((info) => closeInfos.push(info));
  connection.start();
  return {
    connection,
    port,
    closeInfos,
    peer: (...frames) => port.receive(wire(role, frames)),
    turn: () => {
      for (const task of due.splice(0)) task();
    },
  };
}

function onScheduler(scheduler: SchedulerLike): (task: () => void) => void {
  return (task) => {
    scheduler.schedule(task);
  };
}
