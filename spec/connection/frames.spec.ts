import { connectionSuite } from './connection-suite.js';
import { paired } from './drivers/memory.js';
import { dialed, served } from './drivers/sockets.js';

describe.each([served, dialed, paired('server'), paired('client')])('$name', (driver) => connectionSuite(driver));
