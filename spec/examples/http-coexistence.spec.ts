import { firstValueFrom } from 'rxjs';
import { type Connection, connect, openConnection } from 'sluice';
import { endAfterEach } from '../support/end-after-each.js';
import { Example } from '../support/example.js';

describe('one HTTP server for everything', () => {
  const onEnd = endAfterEach();

  it('serves its routes, two servers of sluice and another library', async () => {
    const example = new Example('http-coexistence');
    onEnd(() => example.kill());
    const url = await example.url();
    const get = async (path: string): Promise<[number, string]> => {
      const response = await fetch(`${url}${path}`);
      return [response.status, await response.text()];
    };
    const dial = async (path: string): Promise<Connection> => {
      const conn = await openConnection(`${url.replace('http', 'ws')}${path}`);
      onEnd(() => conn.terminate());
      return conn;
    };
    expect(await get('/health')).toEqual([200, 'fine']);
    expect(await get('/echo')).toEqual([404, 'no such page']);

    const echo = await dial('/echo?with=query');
    echo.send.next('back');
    expect(await firstValueFrom(echo.messages$)).toBe('back');
    expect(await firstValueFrom((await dial('/clock')).messages$)).toMatch(/^\d{4}-\d\d-\d\dT/);
    expect(await firstValueFrom((await dial('/other')).messages$)).toBe('this is the other library');
    await expect(firstValueFrom(connect(`${url.replace('http', 'ws')}/unknown`))).rejects.toMatchObject({
      status: 404,
    });

    expect(await get('/health')).toEqual([200, 'fine']);
    expect(example.errors).toBe('');
  });
});
