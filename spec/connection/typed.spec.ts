import { connectionSuite } from './connection-suite.js';
import { paired } from './drivers/memory.js';
import { scripted } from './drivers/scripted.js';
import { dialed, served } from './drivers/sockets.js';
import { typed } from './drivers/typed.js';

describe.each([served, dialed, paired('server'), scripted].map(typed))('$name', (driver) => connectionSuite(driver));
