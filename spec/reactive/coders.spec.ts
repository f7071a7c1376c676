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

  it('are shared where nothing is kept, by connections of the same options', () => {
    const settings = connectionSettings({}, 'server');
    const compressorOf = (parameters: typeof agreed, own = settings) => codersFor(parameters, 'server', own).compressor;
    const forgets = { ...agreed, serverNoContextTakeover: true };
    expect(compressorOf(forgets)).toBe(compressorOf({ ...forgets }));
    expect(compressorOf(forgets)).not.toBe(compressorOf({ ...forgets, serverMaxWindowBits: 11 }));
    expect(compressorOf(forgets)).not.toBe(compressorOf(forgets, connectionSettings({}, 'server')));
    expect(compressorOf(agreed)).not.toBe(compressorOf(agreed));
    expect(codersFor(forgets, 'server', settings).inflater).not.toBe(codersFor(forgets, 'server', settings).inflater);
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
