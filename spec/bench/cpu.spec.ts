import { estimateCpu, measureOnce, rotate } from './cpu.js';
import type { LoadGenerator, LoadResult, LoadTimes } from './load.js';
import type { Profile } from './profiles.js';
import type { RunningServer } from './servers.js';

const profile: Profile = { name: 'echo', kind: 'text', bytes: 32, inFlight: 1, connections: 64 };
const server = { name: 'ws' } as RunningServer;

/** A load generator to which so many messages come back, each for 3 us, and the times that it was asked for. */
function loadOf(messagesIn: (seconds: number) => number): { load: LoadGenerator; asked: LoadTimes[] } {
  const asked: LoadTimes[] = [];
  const run = async (_: RunningServer, __: Profile, times: LoadTimes): Promise<LoadResult> => {
    asked.push(times);
    const messages = messagesIn(times.seconds);
    return { messages, perSecond: messages / times.seconds, cpuMicros: messages * 3, p50Micros: 1, p99Micros: 2 };
  };
  return { load: { run } as unknown as LoadGenerator, asked };
}

describe('measureOnce', () => {
  const errors = jest.spyOn(console, 'error');
  beforeEach(() => errors.mockReset().mockReturnValue());
  afterAll(() => errors.mockRestore());

  it('divides the CPU time by the messages', async () => {
    const { load } = loadOf(() => 1000);
    await expect(measureOnce(load, server, profile, { warmUp: 1, seconds: 2 })).resolves.toEqual({
      server: 'ws',
      cost: 3,
      details: { messages: 1000, perSecond: 500, p50Micros: 1, p99Micros: 2 },
    });
    expect(errors).not.toHaveBeenCalled();
  });

  it('measures for longer what is slow', async () => {
    const { load, asked } = loadOf((seconds) => 20 * seconds);
    const { cost, details } = await measureOnce(load, server, profile, { warmUp: 1, seconds: 1 });
    expect([cost, details!.messages]).toEqual([3, 80]);
    expect(asked.map(({ seconds }) => seconds)).toEqual([1, 4]);
  });

  it('gives no figure where nothing comes back', async () => {
    const { load } = loadOf(() => 0);
    await expect(measureOnce(load, server, profile, { warmUp: 1, seconds: 1 })).rejects.toThrow(
      'ws: only 0 messages in 16 s',
    );
  });

  it('says when a server does not keep up with the pace', async () => {
    const { load } = loadOf(() => 900);
    await measureOnce(load, server, { ...profile, perSecond: 1000 }, { warmUp: 1, seconds: 1 });
    expect(errors).toHaveBeenCalledWith(expect.stringContaining('ws did only 900 messages/s instead of 1000'));
  });
});

describe('estimateCpu', () => {
  it('grows with the servers, the rounds and the seconds', () => {
    const once = estimateCpu(profile, { servers: ['sluice'], rounds: 1, seconds: 1 });
    expect(once).toBeGreaterThan(2);
    expect(estimateCpu(profile, { servers: ['sluice', 'ws'], rounds: 1, seconds: 1 })).toBeCloseTo(2 * once);
    expect(estimateCpu(profile, { servers: ['sluice'], rounds: 5, seconds: 2 })).toBeGreaterThan(once + 9);
  });
});

describe('rotate', () => {
  it('begins with another one each time', () => {
    expect([0, 1, 2, 3].map((by) => rotate(['a', 'b', 'c'], by).join(''))).toEqual(['abc', 'bca', 'cab', 'abc']);
  });
});
