import { firstValueFrom } from 'rxjs';
import type { Driver, Source, Subject } from './driver.js';
import { all, opener } from './opening.js';

/** What becomes of the Observable that emitted a connection. */
export function sources(driver: Driver): void {
  const { emittedBy } = driver;
  if (emittedBy === undefined) return;

  describe(`the ${emittedBy} that emitted it`, () => {
    const open = opener(driver);
    const leavingCode = emittedBy === 'server' ? 1001 : 1000;

    it(`closes it with ${leavingCode} when it is unsubscribed`, async () => {
      const { conn, source } = await open();
      (source as Source).leave();
      const { code, wasClean, initiator } = await firstValueFrom(conn.close$);
      expect({ code, wasClean, initiator }).toEqual({ code: leavingCode, wasClean: true, initiator: 'local' });
    });

    if (emittedBy === 'server') {
      it('goes on when its connection ends', async () => {
        const { conn, peer, source } = await open();
        peer.lose();
        await firstValueFrom(conn.close$);
        expect((source as Source).ending).toBeUndefined();
      });
      return;
    }

    it.each<[string, (subject: Subject) => void, object]>([
      ['completes when the peer closes with 1000', ({ peer }) => peer.close(1000), { type: 'complete' }],
      ['completes when we close', ({ conn }) => conn.close(4000), { type: 'complete' }],
      [
        'errors when the peer closes with another code',
        ({ peer }) => peer.close(4000, 'why'),
        { type: 'error', error: { name: 'ConnectionClosedError', code: 4000, reason: 'why' } },
      ],
      ['errors when the peer is lost', ({ peer }) => peer.lose(), { type: 'error' }],
    ])('%s, after close$, and after messages$ where a hold keeps that', async (_, act, ending) => {
      const subject = await open();
      const { conn } = subject;
      const source = subject.source as Source;
      const hold = conn.hold();
      const completed = all(conn.messages$);
      act(subject);
      await firstValueFrom(conn.close$);
      expect(source.ending).toBeUndefined();
      hold.unsubscribe();
      await completed;
      expect(source.ending).toMatchObject(ending);
    });
  });
}
