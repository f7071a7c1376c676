import { asyncScheduler, VirtualTimeScheduler } from 'rxjs';
import { connectionSettings } from '../../src/channel/settings.js';
import { connectionTerms } from '../../src/channel/terms.js';
import { jsonText } from '../support/compressible.js';

const agreed = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: true,
  serverMaxWindowBits: 12,
  clientMaxWindowBits: 15,
};
const forgets = { ...agreed, serverNoContextTakeover: true };

describe('the terms of a connection', () => {
  it('have no coders where nothing was agreed to, or nothing is wanted', () => {
    const wanting = connectionTerms('server', connectionSettings({}, 'server'), undefined);
    expect([wanting.session.inflater, wanting.outbox.compressor]).toEqual([undefined, undefined]);
    const settings = connectionSettings({ perMessageDeflate: false }, 'server');
    const refusing = connectionTerms('server', settings, agreed);
    expect([refusing.session.inflater, refusing.outbox.compressor]).toEqual([undefined, undefined]);
  });

  it('are shared by connections of the same options with the same agreement, where nothing is kept between messages', () => {
    const settings = connectionSettings({}, 'server');
    const termsOf = (parameters?: typeof agreed, own = settings) => connectionTerms('server', own, parameters);
    expect(termsOf()).toBe(termsOf());
    expect(termsOf(forgets)).toBe(termsOf({ ...forgets }));
    expect(termsOf(forgets)).not.toBe(termsOf());
    expect(termsOf(forgets)).not.toBe(termsOf({ ...forgets, serverMaxWindowBits: 11 }));
    expect(termsOf(forgets)).not.toBe(termsOf(forgets, connectionSettings({}, 'server')));
    expect(termsOf(forgets)).not.toBe(connectionTerms('client', settings, forgets));
    expect(termsOf(agreed)).not.toBe(termsOf(agreed));
  });

  it('mask what a client sends, and only that', () => {
    const settings = connectionSettings({}, 'client');
    expect(connectionTerms('client', settings, undefined).outbox.maskKey).toBeInstanceOf(Function);
    expect(connectionTerms('server', settings, undefined).outbox.maskKey).toBeUndefined();
  });

  it('have one line of deadlines for all in real time, and one for each in virtual time', () => {
    const scheduler = new VirtualTimeScheduler();
    const [real, other] = [
      connectionSettings({}, 'server'),
      connectionSettings({ scheduler: asyncScheduler }, 'server'),
    ];
    expect(connectionTerms('server', real, undefined).deadlines).toBe(
      connectionTerms('server', other, undefined).deadlines,
    );
    const [first, second] = [0, 1].map(() => connectionSettings({ scheduler }, 'server'));
    expect(connectionTerms('server', first!, undefined).deadlines).not.toBe(
      connectionTerms('server', second!, undefined).deadlines,
    );
  });

  it('let both ends understand each other', () => {
    const [server, client] = (['server', 'client'] as const).map((role) => {
      const { session, outbox } = connectionTerms(role, connectionSettings({ maxPayload: 5000 }, role), agreed);
      return { inflater: session.inflater, compressor: outbox.compressor };
    });
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
