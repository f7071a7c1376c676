import { firstValueFrom } from 'rxjs';
import { openConnection } from 'sluice';
import { endAfterEach } from '../support/end-after-each.js';
import { Example } from '../support/example.js';

describe('the graceful shutdown', () => {
  const onEnd = endAfterEach();

  it.each(['SIGTERM', 'SIGINT'] as const)('on %s tells clients, finishes the work and ends with 0', async (signal) => {
    const example = new Example('graceful-shutdown');
    onEnd(() => example.kill());
    const url = await example.url();
    const conn = await openConnection(url);
    onEnd(() => conn.terminate());
    for (const order of ['one', 'two', 'three']) conn.send.next(order);
    expect(await firstValueFrom(conn.messages$)).toBe('saved one');
    example.signal(signal);
    // The end of the connection comes behind what waits for a subscriber.
    conn.ignoreMessages();
    expect(await firstValueFrom(conn.close$)).toMatchObject({ code: 1001, reason: 'restart', wasClean: true });
    await expect(openConnection(url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(await example.ended()).toBe(0);
    expect(example.lines).toEqual(expect.arrayContaining(['0 clients had to be cut off']));
    const work = example.lines.filter((line) => /^(saved|closing|all)/.test(line));
    expect(work.filter((line) => line !== 'closing')).toEqual([
      'saved one',
      'saved two',
      'saved three',
      'all orders are saved',
    ]);
    expect(example.errors).toBe('');
  });
});
