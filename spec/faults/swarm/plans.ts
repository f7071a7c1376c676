/** What a swarm can do. */
import { churn } from './churn.js';
import { flood, stopFlood } from './flood.js';
import { burst, hold, leave } from './hold.js';
import { leavePending, stall } from './pending.js';
import { resetAt } from './resets.js';
import { leaveShared, resetShared, stayShared } from './shared-resets.js';
import { slow, slowEnded } from './slow.js';
import { allTalk, hushAndLeave, talk, talkEnded } from './talk.js';

export const plans = {
  allTalk,
  burst,
  churn,
  flood,
  hold,
  hushAndLeave,
  leave,
  leavePending,
  leaveShared,
  resetAt,
  resetShared,
  slow,
  slowEnded,
  stall,
  stayShared,
  stopFlood,
  talk,
  talkEnded,
};
