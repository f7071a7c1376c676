/** All fault cases, in the order in which they run. */
import { pings } from './cases/pings.js';
import type { FaultCase } from './fault-case.js';

export const faultCases: readonly FaultCase[] = [pings];
