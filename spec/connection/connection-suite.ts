import { closing } from './closing.js';
import type { Driver } from './driver.js';
import { endings } from './endings.js';
import { flowSuite } from './flow-suite.js';
import { sources } from './sources.js';

/** All tests of a `Connection`. */
export function connectionSuite(driver: Driver): void {
  flowSuite(driver);
  endings(driver);
  closing(driver);
  sources(driver);
}
