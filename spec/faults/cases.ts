/** All fault cases, in the order in which they run. */
import { burst, churn } from './cases/churn.js';
import { killedPeers, killedServer } from './cases/lost-peers.js';
import { openFiles } from './cases/open-files.js';
import { pings } from './cases/pings.js';
import { clientResets, serverResets } from './cases/resets.js';
import { slowHandshakes, stalledHooks } from './cases/slow-handshakes.js';
import type { FaultCase } from './fault-case.js';

const floods = [pings];
const handshakes = [slowHandshakes, stalledHooks];
const losses = [serverResets, clientResets, killedPeers, killedServer];
const crowds = [openFiles, burst, churn];

export const faultCases: readonly FaultCase[] = [...floods, ...handshakes, ...losses, ...crowds];
