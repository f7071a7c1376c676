import type { FrameFacts } from '../../src/channel/open.js';

/** The facts of a connection of which nothing matters but the role, and what is agreed on. */
export function plainFacts({ role, deflate }: Pick<FrameFacts<undefined>, 'role' | 'deflate'>): FrameFacts<undefined> {
  return {
    role,
    data: undefined,
    url: '/',
    protocol: '',
    extensions: [],
    deflate,
    protocolVersion: 13,
    remoteAddress: undefined,
  };
}
