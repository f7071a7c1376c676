/** What a swarm can do. */
import { churn } from './churn.js';
import { flood, stopFlood } from './flood.js';
import { burst, hold, leave } from './hold.js';
import { leavePending, stall } from './pending.js';
import { resetAt } from './resets.js';
import { slow, slowEnded } from './slow.js';
import { hushAndLeave, talk, talkEnded } from './talk.js';

export const plans = {
  burst,
  churn,
  flood,
  hold,
  hushAndLeave,
  leave,
  leavePending,
  resetAt,
  slow,
  slowEnded,
  stall,
  stopFlood,
  talk,
  talkEnded,
};
