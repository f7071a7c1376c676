import { ReadyState } from 'sluice';

describe('the states of a connection', () => {
  it('have the numbers of the browsers', () => {
    expect(ReadyState).toEqual({ CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 });
  });
});
