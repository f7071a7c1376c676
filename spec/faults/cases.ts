/** All fault cases, in the order in which they run. */
import { bombsAtOnce, earlyBomb, longMessage, singleBombs, textBomb } from './cases/bombs.js';
import { burst, churn } from './cases/churn.js';
import { longestClaim, tooLongClaim } from './cases/claims.js';
import { pongs, readPings, unreadPings } from './cases/control-floods.js';
import { drain } from './cases/drain.js';
import { floodedEchoes } from './cases/flooded-echoes.js';
import { randomBytes } from './cases/fuzz.js';
import { fuzzTime } from './cases/fuzz-time.js';
import { halfOpen } from './cases/half-open.js';
import { heldPeers, slowReaders } from './cases/held-peers.js';
import { longHeaders } from './cases/long-headers.js';
import { killedPeers, killedServer } from './cases/lost-peers.js';
import { openFiles } from './cases/open-files.js';
import { endlessProducers } from './cases/producers.js';
import { longAnswer, manyQuestions } from './cases/questions.js';
import { clientResets, serverResets } from './cases/resets.js';
import { sharedServer } from './cases/shared-server.js';
import { slowReader, slowSubscriber } from './cases/slow-ends.js';
import { slowHandshakes, stalledHooks } from './cases/slow-handshakes.js';
import { drips, emptyMessages, fragmentFloods } from './cases/small-frames.js';
import { soak } from './cases/soak.js';
import { blockedLoop, clockJumps } from './cases/time.js';
import { turnedAway } from './cases/turned-away.js';
import type { FaultCase } from './fault-case.js';

const floods = [pongs, readPings, unreadPings, ...fragmentFloods, drips, emptyMessages, ...floodedEchoes];
const sizes = [longestClaim, tooLongClaim, slowReader, slowSubscriber];
const questions = [longAnswer, manyQuestions];
const bombs = [singleBombs, earlyBomb, textBomb, bombsAtOnce, longMessage];
const nonsense = [randomBytes, fuzzTime];
const handshakes = [longHeaders, slowHandshakes, stalledHooks];
const losses = [serverResets, sharedServer, clientResets, killedPeers, killedServer, halfOpen, heldPeers, slowReaders];
const times = [blockedLoop, clockJumps, endlessProducers];
const crowds = [openFiles, turnedAway, burst, churn, drain, soak];

export const faultCases: readonly FaultCase[] = [
  ...floods,
  ...sizes,
  ...questions,
  ...bombs,
  ...nonsense,
  ...handshakes,
  ...losses,
  ...times,
  ...crowds,
];
