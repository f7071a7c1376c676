const assert = require('node:assert/strict');
const sluice = require('sluice');
const operators = require('sluice/operators');
const testing = require('sluice/testing');
const { echo } = require('./echo.cjs');
const { assertEchoes } = require('./pair.cjs');

assert.equal(operators.sendTo, sluice.sendTo);
assertEchoes(testing);
echo(sluice, sluice);
