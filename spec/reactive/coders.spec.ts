import { codersFor } from '../../src/reactive/coders.js';
import { connectionSettings } from '../../src/reactive/connection-settings.js';
import { jsonText } from '../support/compressible.js';

const agreed = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: true,
  serverMaxWindowBits: 12,
  clientMaxWindowBits: 15,
};

describe('the coders of a connection', () => {
  it('are none where nothing was agreed to, or nothing is wanted', () => {
    const nothing = { inflater: undefined, compressor: undefined };
    expect(codersFor(undefined, 'server', connectionSettings({}, 'server'))).toEqual(nothing);
    expect(codersFor(agreed, 'server', connectionSettings({ perMessageDeflate: false }, 'server'))).toEqual(nothing);
  });

  it('understand each other, end by end', () => {
    const [server, client] = (['server', 'client'] as const).map((role) =>
      codersFor(agreed, role, connectionSettings({ maxPayload: 5000 }, role)),
    );
    expect(server!.compressor!.deflater.keepsContext).toBe(true);
    expect(client!.compressor!.deflater.keepsContext).toBe(false);
    const text = Buffer.from(jsonText(5000));
    for (let index = 0; index < 3; index++) {
      for (const [from, to] of [
        [server, client],
        [client, server],
      ]) {
        expect(to!.inflater!.inflate(Buffer.from(from!.compressor!.deflater.compress(text)!))).toEqual(text);
      }
    }
    const longer = Buffer.from(client!.compressor!.deflater.compress(Buffer.alloc(5001))!);
    expect(() => server!.inflater!.inflate(longer)).toThrow(expect.objectContaining({ closeCode: 1009 }));
  });
});
