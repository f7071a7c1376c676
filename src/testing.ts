/**
 * Test doubles for applications, without a network and in virtual time. They work within `TestScheduler.run` of RxJS and with any test framework.
 *
 * @packageDocumentation
 */
export { type ConnectionPair, type ConnectionPairOptions, connectionPair } from './testing/connection-pair.js';
export { dropPongs, reset, splitEvery, stallReads } from './testing/faults.js';
export { type Attempt, type TestConnect, testConnect } from './testing/test-connect.js';
export { testConnection } from './testing/test-connection.js';
export type { Closed, TestConnection, TestConnectionInputs } from './testing/test-inputs.js';
export { type AnyConnection, type TestServer, testServer } from './testing/test-server.js';
