/** Which end of the connection this is. Clients mask, servers do not. RFC 6455 §5.1. */
export type Role = 'server' | 'client';
