const assert = require('node:assert/strict');
const sluice = require('sluice');
const operators = require('sluice/operators');
const { echo } = require('./echo.cjs');

assert.equal(operators.sendTo, sluice.sendTo);
echo(sluice, sluice);
