import { acceptDeflate } from '../../src/protocol/deflate/deflate-negotiation.js';
import { AcceptedFacts } from '../../src/server/accepted-facts.js';

const upgrade = { kept: { url: '/a?b', request: {} }, remoteAddress: '::1' } as never;

describe('the facts of an accepted connection', () => {
  it('tell what came and what was chosen', () => {
    expect(new AcceptedFacts(upgrade, 'user', { protocol: 'chat', deflate: undefined })).toMatchObject({
      url: '/a?b',
      remoteAddress: '::1',
      data: 'user',
      protocol: 'chat',
      role: 'server',
      protocolVersion: 13,
    });
  });

  it('tell of no subprotocol and no extension where none was agreed to', () => {
    const facts = new AcceptedFacts(upgrade, undefined, { protocol: '', deflate: undefined });
    expect(facts).toMatchObject({ protocol: '', extensions: [], deflate: undefined });
  });

  it('tell the parameters of permessage-deflate', () => {
    const wanted = {
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
      serverMaxWindowBits: 12,
      clientMaxWindowBits: 15,
    };
    const deflate = acceptDeflate([{ name: 'permessage-deflate', params: new Map() }], wanted);
    const facts = new AcceptedFacts(upgrade, undefined, { protocol: '', deflate });
    expect([facts.extensions, facts.deflate]).toEqual([[deflate?.answer], deflate?.parameters]);
    expect(facts.deflate?.serverMaxWindowBits).toBe(12);
  });
});
