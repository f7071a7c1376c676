/** All fault cases, in the order in which they run. */
import { burst, churn } from './cases/churn.js';
import { drain } from './cases/drain.js';
import { fuzzTime } from './cases/fuzz-time.js';
import { halfOpen } from './cases/half-open.js';
import { killedPeers, killedServer } from './cases/lost-peers.js';
import { openFiles } from './cases/open-files.js';
import { pings } from './cases/pings.js';
import { clientResets, serverResets } from './cases/resets.js';
import { slowHandshakes, stalledHooks } from './cases/slow-handshakes.js';
import { soak } from './cases/soak.js';
import { blockedLoop, clockJumps } from './cases/time.js';
import type { FaultCase } from './fault-case.js';

const floods = [pings, fuzzTime];
const handshakes = [slowHandshakes, stalledHooks];
const losses = [serverResets, clientResets, killedPeers, killedServer, halfOpen];
const times = [blockedLoop, clockJumps];
const crowds = [openFiles, burst, churn, drain, soak];

export const faultCases: readonly FaultCase[] = [...floods, ...handshakes, ...losses, ...times, ...crowds];
