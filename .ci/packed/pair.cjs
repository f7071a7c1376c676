// One message between the ends of a pair, without a network.
const assert = require('node:assert/strict');

/** @param testing the sluice/testing whose pair it is */
exports.assertEchoes = function assertEchoes(testing) {
  const { client, server } = testing.connectionPair();
  const answers = [];
  server.messages$.subscribe((message) => server.send.next(message));
  client.messages$.subscribe((message) => answers.push(message));
  client.send.next('héllo');
  assert.deepEqual(answers, ['héllo']);
  for (const conn of [client, server]) conn.terminate();
};
