/** What became of an item: see `Connection.trySend`. */
export type SendResult = 'sent' | 'buffered' | 'dropped' | 'closed';

/** What happens above `maxBufferedAmount`. */
export type Overflow = 'close' | 'drop-newest' | 'drop-oldest';
