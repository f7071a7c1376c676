import assert from 'node:assert/strict';
import * as sluice from 'sluice';
import * as operators from 'sluice/operators';
import * as testing from 'sluice/testing';
import { echo } from './echo.cjs';
import { assertEchoes } from './pair.cjs';

assert.equal(operators.sendTo, sluice.sendTo);
assertEchoes(testing);
echo(sluice, sluice);
