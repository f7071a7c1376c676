import { closing } from './closing.js';
import { control } from './control.js';
import { counts } from './counts.js';
import type { Driver } from './driver.js';
import { endings } from './endings.js';
import { flowSuite } from './flow-suite.js';
import { flushing } from './flushing.js';
import { checkedIteration, iteration } from './iteration.js';
import { reentrancy } from './reentrancy.js';
import { sources } from './sources.js';

/** All tests of a `Connection`. */
export function connectionSuite(driver: Driver): void {
  flowSuite(driver);
  flushing(driver);
  endings(driver);
  closing(driver);
  reentrancy(driver);
  control(driver);
  iteration(driver);
  checkedIteration(driver);
  counts(driver);
  sources(driver);
}
