import { connectionPair } from 'sluice/testing';
import { ConnectionFacade } from '../../../src/operators/typed/connection-facade.js';

describe('the face of a connection behind another one', () => {
  it('has every member of a connection but those of messages', () => {
    const { server } = connectionPair();
    const members = (of: object): string[] => Object.getOwnPropertyNames(Object.getPrototypeOf(of));
    const ofMessages = ['messages$', 'send', 'trySend', 'sendFrom'];
    const internal = [
      'start',
      'endSend',
      'printedAs',
      'rank',
      'tracker',
      'isTrackedBy',
      'onFinished',
      'reportError',
      'intercept',
      'trySendShared',
      'countSubscribers',
    ];
    const expected = members(server).filter((name) => ![...ofMessages, ...internal].includes(name));
    expect(members(new ConnectionFacade(server)).sort()).toEqual(expected.sort());
  });

  it('is that of the one behind it', () => {
    const { server } = connectionPair({ data: { user: 'a' }, url: '/room' });
    const facade = new ConnectionFacade(server);
    expect({ data: facade.data, url: facade.url, readyState: facade.readyState }).toEqual({
      data: { user: 'a' },
      url: '/room',
      readyState: 1,
    });
    facade.terminate();
    expect([facade.readyState, server.readyState]).toEqual([3, 3]);
  });
});
