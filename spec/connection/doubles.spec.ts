import { connectionSuite } from './connection-suite.js';
import { dialedByDouble, servedByDouble } from './drivers/memory.js';
import { scripted } from './drivers/scripted.js';

describe.each([scripted, servedByDouble, dialedByDouble])('$name', (driver) => connectionSuite(driver));
