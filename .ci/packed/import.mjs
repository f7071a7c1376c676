import assert from 'node:assert/strict';
import * as sluice from 'sluice';
import * as operators from 'sluice/operators';
import { echo } from './echo.cjs';

assert.equal(operators.sendTo, sluice.sendTo);
echo(sluice, sluice);
