import { acceptDeflate } from '../../src/protocol/deflate/deflate-negotiation.js';
import { AcceptedFacts } from '../../src/server/accepted-facts.js';

const upgrade = { kept: { url: '/a?b', request: {} }, remoteAddress: '::1' } as never;

describe('the facts of an accepted connection', () => {
  it('tell what came and what was chosen', () => {
    const agreed = { data: 'user', protocol: 'chat', deflate: undefined };
    const { url, remoteAddress, data, protocol, role, protocolVersion } = new AcceptedFacts(upgrade, agreed);
    const told = [url, remoteAddress, data, protocol, role, protocolVersion];
    expect(told).toEqual(['/a?b', '::1', 'user', 'chat', 'server', 13]);
  });

  it('tell of no subprotocol and no extension where none was agreed to', () => {
    const facts = new AcceptedFacts(upgrade, { data: undefined, protocol: undefined, deflate: undefined });
    expect({ protocol: facts.protocol, extensions: facts.extensions, deflate: facts.deflate }).toEqual({
      protocol: '',
      extensions: [],
      deflate: undefined,
    });
  });

  it('tell the parameters of permessage-deflate', () => {
    const wanted = {
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
      serverMaxWindowBits: 12,
      clientMaxWindowBits: 15,
    };
    const deflate = acceptDeflate([{ name: 'permessage-deflate', params: new Map() }], wanted);
    const facts = new AcceptedFacts(upgrade, { data: undefined, protocol: undefined, deflate });
    expect([facts.extensions, facts.deflate]).toEqual([[deflate?.answer], deflate?.parameters]);
    expect(facts.deflate?.serverMaxWindowBits).toBe(12);
  });
});
