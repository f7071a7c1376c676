import { firstValueFrom } from 'rxjs';
import { connect, openConnection } from 'sluice';
import { endAfterEach } from '../support/end-after-each.js';
import { Example } from '../support/example.js';

describe('the authenticated client', () => {
  const onEnd = endAfterEach();

  it('is greeted by name with a token that is known, and refused with another', async () => {
    const example = new Example('authenticated-client');
    onEnd(() => example.kill());
    const url = await example.url();
    await example.line(/^hello Ann, you are admin$/);
    await example.line(/^refused: 401 unknown token$/);

    const conn = await openConnection(url, { headers: { Authorization: 'Bearer token-of-ann' } });
    onEnd(() => conn.terminate());
    conn.send.next('and then it echoes');
    expect(await firstValueFrom(conn.messages$)).toBe('hello Ann, you are admin');
    expect(await firstValueFrom(conn.messages$)).toBe('and then it echoes');
    await expect(firstValueFrom(connect(url))).rejects.toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer' },
    });
    expect(example.errors).toBe('');
  });
});
