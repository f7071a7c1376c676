import { filter, firstValueFrom, type Observable, ReplaySubject } from 'rxjs';
import { type Connection, openConnection } from 'sluice';
import { endAfterEach } from '../support/end-after-each.js';
import { Example } from '../support/example.js';

describe('the chat room', () => {
  const onEnd = endAfterEach();

  /** A member, and all that it has read. */
  async function join(url: string, name: string): Promise<{ conn: Connection; heard$: Observable<unknown> }> {
    const conn = await openConnection(`${url}/?name=${name}`);
    onEnd(() => conn.terminate());
    const heard$ = new ReplaySubject<unknown>();
    conn.messages$.subscribe(heard$);
    return { conn, heard$ };
  }

  const hears = (heard$: Observable<unknown>, line: string): Promise<unknown> =>
    firstValueFrom(heard$.pipe(filter((heard) => heard === line)));

  it('lets members see who comes, what each says, and who leaves', async () => {
    const example = new Example('chat-room');
    onEnd(() => example.kill());
    const url = await example.url();
    const ann = await join(url, 'Ann');
    const bob = await join(url, 'Bob');
    await hears(ann.heard$, '* Bob joined');
    ann.conn.send.next('hi Bob');
    bob.conn.send.next('hi Ann');
    for (const { heard$ } of [ann, bob]) {
      await hears(heard$, 'Ann: hi Bob');
      await hears(heard$, 'Bob: hi Ann');
    }
    bob.conn.terminate();
    await hears(ann.heard$, '* Bob left');
    ann.conn.send.next('x'.repeat(5000));
    expect(await firstValueFrom(ann.conn.close$)).toMatchObject({ code: 1009 });
    expect(example.errors).toBe('');
    const carl = await join(url, 'Carl');
    await hears(carl.heard$, '* Carl joined');
  });
});
