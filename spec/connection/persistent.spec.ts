import { lastingOverDoubles, lastingOverSockets } from './drivers/lasting.js';
import { flowSuite } from './flow-suite.js';

describe.each([lastingOverSockets, lastingOverDoubles])('$name', (driver) => flowSuite(driver));
