import { guardProcess } from '../support/process-guard.js';
import { demand } from './demand.js';
import type { Driver, FlowConnection } from './driver.js';
import { holds } from './holds.js';
import { readiness } from './readiness.js';
import { sending } from './sending.js';

/** The tests for which a `PersistentConnection` has the members. */
export function flowSuite(driver: Driver<FlowConnection>): void {
  guardProcess();
  demand(driver);
  holds(driver);
  sending(driver);
  readiness(driver);
}
