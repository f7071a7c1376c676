import { parseExtensions } from '../../../src/protocol/handshake/extensions.js';
import { acceptOffer, extensionsOf, offeredExtensions } from '../../../src/protocol/handshake/negotiation.js';
import type { UpgradeOffer } from '../../../src/protocol/handshake/read-request.js';

const offer: UpgradeOffer = {
  key: 'dGhlIHNhbXBsZSBub25jZQ==',
  version: 13,
  host: 'server.example.com',
  origin: undefined,
  protocols: ['chat', 'superchat'],
  extensions: parseExtensions('x-other, permessage-deflate; client_max_window_bits'),
};

const wanted = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 12,
};

const required = ['Upgrade', 'websocket', 'Connection', 'Upgrade', 'Sec-WebSocket-Accept'];

describe("the server's answer (RFC 6455 §4.2.2 (5))", () => {
  it('has the fields of the example (RFC 6455 §1.3)', () => {
    expect(acceptOffer(offer, 'chat', undefined)).toEqual({
      status: 101,
      fields: [...required, 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=', 'Sec-WebSocket-Protocol', 'chat'],
      protocol: 'chat',
      deflate: undefined,
    });
  });

  it('has neither a subprotocol nor an extension where none was chosen', () => {
    const { fields, protocol, deflate } = acceptOffer(offer, undefined, undefined);
    expect({ count: fields.length, protocol, deflate, extensions: extensionsOf(deflate) }).toEqual({
      count: 6,
      protocol: '',
      deflate: undefined,
      extensions: [],
    });
  });

  it('has the first compression that both ends can do', () => {
    const answer = 'permessage-deflate; server_no_context_takeover; client_max_window_bits=12';
    const { fields, deflate } = acceptOffer(offer, undefined, wanted);
    expect({ sent: fields.slice(6), extensions: extensionsOf(deflate), agreed: deflate?.parameters }).toEqual({
      sent: ['Sec-WebSocket-Extensions', answer],
      extensions: parseExtensions(answer),
      agreed: wanted,
    });
  });

  it('has no extension where the client offers none that both ends can do', () => {
    const extensions = parseExtensions('x-other, permessage-deflate; server_max_window_bits=7');
    expect(acceptOffer({ ...offer, extensions }, undefined, wanted)).toMatchObject({ deflate: undefined });
  });

  it('never has a subprotocol that was not offered: one could end its line', () => {
    expect(() => acceptOffer(offer, 'a\r\nX: y', undefined)).toThrow(RangeError);
    expect(() => acceptOffer(offer, 'Chat', undefined)).toThrow('subprotocol "Chat" was not offered');
  });
});

describe("the client's offer (RFC 7692 §7)", () => {
  it('is the compression that it wants', () => {
    expect(offeredExtensions({ protocols: [], deflate: wanted })).toBe(
      'permessage-deflate; server_no_context_takeover; client_max_window_bits=12',
    );
  });

  it('is nothing where it does not compress', () => {
    expect(offeredExtensions({ protocols: [], deflate: undefined })).toBeUndefined();
  });
});
