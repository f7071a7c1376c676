// Both builds in one process, as happens when an application imports sluice and one of its dependencies requires it.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import * as imported from 'sluice';
import { echo } from './echo.cjs';

const required = createRequire(import.meta.url)('sluice');

assert.notEqual(imported.UsageError, required.UsageError);
assert.ok(imported.isWebSocketError(new required.UsageError('UNSUPPORTED_DATA', 'a number')));
echo(imported, required);
