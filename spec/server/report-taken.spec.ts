import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { UsageError } from 'sluice';
import { reportTaken } from '../../src/server/report-taken.js';

it('reports each socket that was passed on twice, and prints the first', () => {
  const printed = jest.spyOn(console, 'error').mockImplementation(() => {});
  const messages: unknown[] = [];
  const note = (message: unknown): void => void messages.push(message);
  subscribe('sluice:server-error', note);
  const message = { server: {}, error: new UsageError('ALREADY_UPGRADED', 'twice') };
  reportTaken(message);
  reportTaken(message);
  unsubscribe('sluice:server-error', note);
  expect(messages).toEqual([message, message]);
  expect(printed.mock.calls).toEqual([['An upgrade was passed on twice:', message.error]]);
  printed.mockRestore();
});
