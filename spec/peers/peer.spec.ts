import { Findings } from './conversation.js';
import { Lines, PeerProcess } from './peer.js';

describe('what a peer says', () => {
  it('is taken by its first word, in order, when it is there or when it comes', async () => {
    const lines = new Lines();
    lines.push('open');
    lines.push('closed 1000 bye now');
    lines.push('opened');
    lines.push('open chat');
    const late = lines.take('port');
    lines.push('port 80');
    expect({ open: await lines.take('open'), next: await lines.take('open'), late: await late }).toEqual({
      open: '',
      next: 'chat',
      late: '80',
    });
    expect(await lines.take('closed')).toBe('1000 bye now');
  });

  it('may be that it failed, or its end', async () => {
    const lines = new Lines();
    const waiting = lines.take('open');
    lines.push('failed with 403');
    await expect(waiting).rejects.toThrow('failed with 403');
    const program = [process.execPath, '-e', 'console.error("no such module"); process.exit(3)'];
    await expect(PeerProcess.start(program).lines.take('port')).rejects.toThrow(
      'the peer ended with 3: no such module',
    );
    const missing = PeerProcess.start(['/no/such/program']);
    await expect(missing.lines.take('port')).rejects.toThrow('ENOENT');
  });
});

describe('the findings about a peer', () => {
  it('keep the first thing that goes wrong', async () => {
    const findings = new Findings();
    for (const message of ['', 'first', 'second', '']) {
      await findings.check('echo', () => {
        if (message !== '') throw new Error(message);
      });
    }
    await findings.check('pings', () => {});
    expect(findings.outcome).toEqual({ echo: 'first', pings: 'ok' });
  });
});
