import { concat, defer, Observable, of, Subject, type Subscription, tap, type VirtualTimeScheduler } from 'rxjs';
import type { CloseInfo, Message } from '../../../src/connection/connection.js';
import type { LiveConnection } from '../../../src/connection/live-connection.js';
import { fragments, message, type Outgoing } from '../../../src/connection/outgoing.js';
import { sendFrom } from '../../../src/connection/send-from.js';
import type { SendResult } from '../../../src/connection/send-result.js';
import { ConnectionClosedError, ProtocolError } from '../../../src/protocol/errors.js';
import type { SimulatedClock } from './clock.js';
import { ControlledBlob, ControlledParts } from './controlled.js';
import { CLOSE_TIMEOUT, endOver, type OpenReception } from './ends.js';
import { MessageLog, type SentMessage } from './message-log.js';
import { SimulatedPort } from './network.js';
import { endlessParts, type Outlet, produce } from './producers.js';
import {
  type Content,
  type EndSettings,
  ITEM_SIZE,
  openEnded,
  type Produce,
  type Reaction,
  type Schedule,
  type Side,
  type Stream,
} from './schedule.js';
import { Watch } from './watch.js';
import type { WireRecord } from './wire-check.js';

/** The most that producers may send in one turn of the loop: some more than 10 ms are enough for, since not each item looks at the clock. */
const ITEMS_PER_TURN = 90;

/** How often they may try: what is dropped costs next to nothing. */
const TRIES_PER_TURN = 300;

/** What is counted of all that comes in. */
type Counted = 'pingsReceived' | 'pongsReceived';

/** A message in open parts. */
interface OpenParts {
  readonly parts$: Subject<string>;
  readonly message: SentMessage;
}

/** The two kinds of time. */
export interface Times {
  /** For timers. */
  readonly scheduler: VirtualTimeScheduler;
  /** For work. */
  readonly clock: SimulatedClock;
}

/** One end of the connection, the application on it, and all that must hold of both. */
export class Party {
  readonly port: SimulatedPort;
  readonly connection: LiveConnection<undefined, Message>;
  /** What took in its handshake, on the server. */
  readonly reception: OpenReception | undefined;
  readonly closeInfos: CloseInfo[] = [];
  /** What this end has sent. */
  readonly sent: MessageLog;
  /** What the other end has sent. */
  received: MessageLog;
  readonly holds: Subscription[] = [];
  readonly subscribers: Watch<Message>[] = [];
  readonly watches: Watch<unknown>[] = [];
  /** Flushes and pings that wait. */
  readonly waiting: Watch<unknown>[] = [];
  /** How often it has begun to end the connection. */
  ends = 0;
  /** Whether the policy of the other end drops what waits longest. */
  readonly #otherDrops: boolean;
  hasTerminated = false;
  /** Whether its process is gone. */
  hasVanished = false;
  /** Whether it was over for a while when a hold kept messages back: then these may be dropped. */
  hasOutwaited = false;
  /** Whether all is over, for everybody. */
  isFinished = false;
  /** How many messages were accepted. */
  accepted = 0;
  /** How many of them have an end that nobody knows, and have not come to it. */
  endless = 0;
  /** Blobs that wait to be read. */
  readonly #blobs: ControlledBlob[] = [];
  /** Sources of parts that wait to be told to go on. */
  readonly #sources: ControlledParts[] = [];
  readonly #opened: OpenParts[] = [];
  readonly #settings: EndSettings;
  readonly #name: Side;
  readonly #note: (violation: string) => void;
  /** What was accepted and is not told to be handed over, where somebody listens to that from the beginning. */
  readonly #unnoticed = new Set<unknown>();
  #returned = { dropped: 0, largest: 0, control: 0 };
  /** What producers have sent in which turn. */
  #produced = { items: 0, tries: 0, turn: -1 };
  readonly #clock: SimulatedClock;
  /** What subscribers of `ready$` were told last. */
  readonly #told = new Map<Watch<unknown>, boolean>();
  /** Subscribers of `pings$` and `pongs$`, and how many had come before them. */
  readonly #counted: { readonly watch: Watch<unknown>; readonly stat: Counted; readonly before: number }[] = [];
  /** What was accepted in frames of its own, in bytes, while that is known. */
  #framed: number | undefined = 0;
  #isPaused = false;
  #isCalm = false;
  #depth = 0;

  constructor(side: Side, schedule: Schedule, times: Times, note: (violation: string) => void) {
    this.#name = side;
    this.#clock = times.clock;
    this.#settings = schedule[side];
    this.#note = (violation) => note(`${side}: ${violation}`);
    this.sent = new MessageLog(this.#note);
    this.received = this.sent;
    this.port = new SimulatedPort(this.#settings.room, this.#settings.synchronous);
    const { connection, reception } = endOver(this.port, side, schedule, times.scheduler);
    this.connection = connection;
    this.reception = reception;
    this.#otherDrops = schedule[side === 'client' ? 'server' : 'client'].overflow === 'drop-oldest';
    if (schedule.deflate !== undefined || hasControlFrames(schedule)) this.#framed = undefined;
    for (const stream of ['close', 'finished', 'ready', 'pings', 'pongs'] as const) this.watch(stream, 'nothing', 0);
    if (this.#settings.notices) {
      const { send } = this.connection;
      this.watches.push(new Watch<unknown>('sent$', send, this.#note, { next: (value) => this.#noticed(value) }));
    }
    if (reception === undefined) this.connection.start();
  }

  /** Whether it has begun to end the connection, so that it need not keep what comes. */
  get hasLeft(): boolean {
    return this.ends > 0;
  }

  /** Accepted messages that were counted as dropped. */
  get dropped(): number {
    return this.connection.stats.messagesDropped - this.#returned.dropped;
  }

  /** Whether a hold keeps messages back. */
  get isHeld(): boolean {
    return this.#isPaused || this.holds.some(({ closed }) => !closed);
  }

  /** Whether the largest frame or queue explains what waits to be sent. */
  get sendingBound(): number {
    const { maxBufferedAmount } = this.#settings;
    const { largest, control } = this.#returned;
    return Math.max(maxBufferedAmount, largest) + largest + control + 5_000;
  }

  /** What must hold after each step. */
  check(longest: number): void {
    const { connection, port } = this;
    const { inboxBytes, bytesSent } = connection.stats;
    const isOpen = connection.readyState === 1;
    const isListed = this.reception?.connections.has(connection) ?? isOpen;
    this.#mustBe(isListed || !isOpen, 'the server does not list an open connection');
    const wanted = !this.isHeld && this.subscribers.some(({ isOver }) => !isOver);
    const bound = this.#settings.highWaterMark + longest + 128 + port.largestRead;
    this.#mustBe(inboxBytes <= bound, `${inboxBytes} bytes wait, ${bound} are allowed`);
    this.#mustBe(!wanted || port.hasTasks || inboxBytes === 0, `${inboxBytes} bytes wait in spite of demand`);
    this.#mustBe(!isOpen || bytesSent === port.taken + port.pending, `bytesSent is ${bytesSent}, ${port.taken} left`);
    const isFull = !wanted && inboxBytes >= this.#settings.highWaterMark;
    this.#mustBe(
      !isOpen || port.hasTasks || port.isPaused === isFull,
      `paused is ${port.isPaused}, ${inboxBytes} wait`,
    );
    const isWaiting = this.isHeld && (inboxBytes > 0 || this.subscribers.some(({ isOver }) => !isOver));
    const isClosed = connection.readyState === 3 && !port.hasTasks;
    this.#mustBe(!isClosed || isWaiting || this.isFinished, 'not finished, though nothing waits');
    const { bufferedAmount } = connection;
    this.#mustBe(bufferedAmount >= port.pending, 'bufferedAmount is less than what the port has');
    this.#mustBe(bufferedAmount <= this.sendingBound, `bufferedAmount is ${bufferedAmount}`);
    if (isOpen && this.#framed !== undefined) {
      this.#mustBe(bufferedAmount + port.taken === this.#framed, `bufferedAmount is ${bufferedAmount}, not exact`);
    }
    this.#checkReady();
    for (const fault of port.faults.splice(0)) this.#note(fault);
  }

  /** More is welcome unless much waits, or others come first; and all know it. */
  #checkReady(): void {
    const { connection, port } = this;
    const { isReady, bufferedAmount } = connection.send;
    for (const [watch, told] of this.#told) {
      if (watch.isOver) this.#told.delete(watch);
      else this.#mustBe(told === isReady, `ready$ said ${told} last, isReady is ${isReady}`);
    }
    if (connection.readyState !== 1) return;
    const { stats } = connection;
    for (const { watch, stat, before } of this.#counted) {
      const { isOver, values, name } = watch;
      this.#mustBe(
        isOver || values === stats[stat] - before,
        `${name} told of ${values}, ${stats[stat] - before} came`,
      );
    }
    const isLittle = bufferedAmount < this.#settings.highWaterMark / 2;
    this.#mustBe(isReady || !isLittle || port.hasTasks, `not ready, though only ${bufferedAmount} bytes wait`);
  }

  subscribe(reaction: Reaction, at: number): void {
    const floor = this.received.delivered.length;
    let next = floor;
    let watch: Watch<Message> | undefined;
    watch = new Watch<Message>('messages$', this.connection.messages$, this.#note, {
      next: (data) => {
        const place = this.received.deliver(data as string | Buffer, this.#mayMiss);
        this.#mustBe(place === next, place < next ? `message ${place} twice` : `no message ${next} for a subscriber`);
        next = place + 1;
        if (place - floor === at) this.#react(reaction, () => watch?.subscription);
      },
      complete: () => {
        this.#mustBe(this.connection.readyState === 3, 'messages$ completed before the end');
        if (reaction === 'close' || reaction === 'subscribe') this.#react(reaction, () => undefined);
      },
    });
    this.subscribers.push(watch);
  }

  watch(stream: Stream, reaction: Reaction, at: number): void {
    let count = 0;
    let watch: Watch<unknown> | undefined;
    let told: boolean | undefined;
    const before = this.connection.stats;
    watch = new Watch<unknown>(`${stream}$`, this.#stream(stream), this.#note, {
      next: (value) => {
        if (stream === 'ready') {
          this.#checkTold(told, value as boolean);
          told = value as boolean;
          if (watch !== undefined) this.#told.set(watch, told);
        }
        if (stream === 'close') this.#checkClose(value as CloseInfo);
        if (stream === 'finished') this.#checkFinished();
        if (count++ === at) this.#react(reaction, () => watch?.subscription);
      },
      complete: () => {
        if (stream === 'sent' || stream === 'ready') this.#checkFirst(stream);
        if (stream === 'close' || stream === 'finished') this.#mustBe(count === 1, `${count} values of ${stream}$`);
      },
    });
    this.watches.push(watch);
    if (told !== undefined) this.#told.set(watch, told);
    if (stream === 'pings') this.#counted.push({ watch, stat: 'pingsReceived', before: before.pingsReceived });
    if (stream === 'pongs') this.#counted.push({ watch, stat: 'pongsReceived', before: before.pongsReceived });
  }

  /** `ready$` begins with what is true, and says nothing twice. */
  #checkTold(before: boolean | undefined, told: boolean): void {
    const { isReady } = this.connection.send;
    if (before === undefined) this.#mustBe(told === isReady, `ready$ replays ${told}, isReady is ${isReady}`);
    else this.#mustBe(told !== before, `ready$ says ${told} twice`);
  }

  /** `ready$`, looked at by the way. */
  get #checkedReady$(): Observable<boolean> {
    return defer(() => {
      let told: boolean | undefined;
      return this.connection.send.ready$.pipe(
        tap((ready) => {
          this.#checkTold(told, ready);
          told = ready;
        }),
      );
    });
  }

  unsubscribe(which: number): void {
    this.subscribers[which]?.subscription?.unsubscribe();
  }

  hold(): void {
    this.holds.push(this.connection.hold());
  }

  release(): void {
    this.holds.pop()?.unsubscribe();
  }

  pause(): void {
    this.#isPaused = true;
    this.connection.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.connection.resume();
  }

  send(content: Content, size: number, compress: boolean): SendResult {
    const isBinary = content !== 'text' && content !== 'open' && content !== 'large text';
    const sent = this.sent.begin(isBinary, (id) => (content === 'open' ? `${id} ` : bodyOf(id, size)));
    const isPlain = content === 'text' || content === 'binary';
    return this.#send(sent, this.#outgoing(content, sent, compress), isPlain, openEnded.includes(content));
  }

  #send(sent: SentMessage, value: Outgoing, isPlain: boolean, isEndless: boolean): SendResult {
    const length = Buffer.byteLength(sent.content);
    const framed = isPlain ? length + headerOf(length, this.#name) : undefined;
    this.#returned.largest = Math.max(this.#returned.largest, length + 14);
    // What others send while it is sent is counted by itself.
    this.#framed = framed === undefined || this.#framed === undefined ? undefined : this.#framed + framed;
    if (this.#settings.notices) this.#unnoticed.add(value);
    // Before: it may come to its end at once.
    if (isEndless) this.endless++;
    const result = this.connection.trySend(value);
    const isAccepted = result === 'sent' || result === 'buffered';
    if (isAccepted) this.accepted++;
    else this.#unnoticed.delete(value);
    if (!isAccepted && isEndless) this.endless--;
    if (result === 'dropped') this.#returned.dropped++;
    if (!isAccepted && this.#framed !== undefined && framed !== undefined) this.#framed -= framed;
    if (this.#settings.overflow === 'drop-oldest' && this.dropped > 0) this.#framed = undefined;
    this.sent.settle(sent, isAccepted);
    return result;
  }

  /** An application with more to send than a turn of the loop is enough for. */
  produce(how: Produce, items: number): void {
    const { connection, port } = this;
    const { send } = connection;
    let isKept = true;
    const item = (): SendResult => {
      const before = this.connection.stats.messagesDropped;
      const result = this.send('text', ITEM_SIZE, false);
      isKept = result !== 'closed' && this.connection.stats.messagesDropped === before;
      if (isKept) this.#produced.items++;
      return result;
    };
    const outlet: Outlet = {
      get isReady() {
        return send.isReady;
      },
      ready$: this.#checkedReady$,
      send: () => {
        item();
        return isKept;
      },
      sendFrom: (source) => {
        const target = {
          trySend: item,
          ready$: outlet.ready$,
          get isReady() {
            return send.isReady;
          },
          get isOpen() {
            return connection.readyState === 1;
          },
          close$: this.connection.close$,
          isTurnOver: (now: number) => port.isTurnOver(now),
          defer: (task: () => void) => port.defer(task),
        };
        const sent$ = sendFrom(target, source as Iterable<unknown>);
        this.waiting.push(new Watch<unknown>('sendFrom()', sent$, this.#note));
      },
      spend: (ms) => this.#clock.spend(ms),
      counts: () => this.#counts(),
    };
    if (how === 'parts') this.#produceParts(items, outlet);
    else produce(how, items, outlet);
  }

  #produceParts(count: number, outlet: Outlet): void {
    const sent = this.sent.begin(false, (id) => bodyOf(id, ITEM_SIZE).repeat(count));
    const counts = (): boolean => {
      const isMore = outlet.counts();
      this.#produced.items++;
      return isMore;
    };
    const part = sent.content.slice(0, ITEM_SIZE);
    const ended = (): void => {
      this.endless--;
    };
    this.#send(sent, endlessParts(count, part, { ...outlet, counts }, ended), false, true);
  }

  /** Whether another item may be produced in this turn. */
  #counts(): boolean {
    const { turns } = this.port;
    if (this.#produced.turn !== turns) this.#produced = { items: 0, tries: 0, turn: turns };
    const isMore = this.#produced.items < ITEMS_PER_TURN && this.#produced.tries++ < TRIES_PER_TURN;
    this.#mustBe(isMore, 'a producer was not stopped in its turn of the loop');
    return isMore;
  }

  /** The server stops gracefully: no sooner than the connection has ended, or the timeout has passed. */
  stop(): void {
    const { reception } = this;
    if (reception === undefined) return;
    this.ends++;
    this.hasTerminated = true;
    const options = { code: 1001, reason: 'stop', timeout: CLOSE_TIMEOUT, jitter: 100 };
    const drained$ = reception.reception.drain(options);
    const watch = new Watch('drain()', drained$, this.#note, {
      next: ({ remaining }) => this.#mustBe(remaining <= 1, `${remaining} remain of one`),
    });
    this.waiting.push(watch);
  }

  /** So many messages that one turn of the loop is not enough for them. */
  burst(): void {
    for (let i = 0; i < 80; i++) this.send('text', 3, false);
  }

  /** Other connections have used this turn of the loop. */
  busy(): void {
    this.port.useUp();
  }

  /** Its process is gone, if it was not before. */
  vanish(): void {
    if (!this.port.vanish()) return;
    this.ends++;
    this.hasVanished = true;
    this.hasTerminated = true;
  }

  /** Time has passed. */
  waited(): void {
    this.hasOutwaited ||= this.isHeld && this.connection.readyState === 3;
  }

  /** Sources that wait give a part. */
  part(): void {
    for (const blob of this.#blobs) blob.give();
    for (const source of this.#sources) source.give();
    const open = this.#opened.find(({ parts$ }) => parts$.observed);
    if (open === undefined) return;
    open.message.content += 'part ';
    this.#returned.largest = Math.max(this.#returned.largest, open.message.content.length + 14);
    open.parts$.next('part ');
  }

  complete(): void {
    const open = this.#opened.find(({ parts$ }) => parts$.observed);
    if (open !== undefined) this.#completeOpen(open);
  }

  #completeOpen({ parts$ }: OpenParts): void {
    this.endless--;
    parts$.complete();
  }

  fail(): void {
    const open = this.#opened.find(({ parts$ }) => parts$.observed);
    if (open === undefined) return;
    this.ends++;
    open.parts$.error(new Error('failed'));
  }

  /** All sources go on to their end. `false` when none does. */
  completeAll(): boolean {
    const isRead = this.completeBlobs();
    const gave = this.#sources.filter((source) => source.give()).length;
    const open = this.#opened.filter(({ parts$ }) => parts$.observed);
    for (const each of open) this.#completeOpen(each);
    return isRead || gave + open.length > 0;
  }

  /** All Blobs are read on. `false` when none is. */
  completeBlobs(): boolean {
    return this.#blobs.filter((blob) => blob.give()).length > 0;
  }

  ping(): void {
    this.#returned.control += 131;
    const isClosed = this.connection.readyState === 3;
    const watch = new Watch('ping()', this.connection.ping(), this.#note, {
      error: (error) => this.#mustBe(error instanceof ConnectionClosedError, `ping() errored: ${error}`),
    });
    this.#mustBe(!isClosed || watch.isOver, 'ping() waits behind the end');
    this.waiting.push(watch);
  }

  pong(): void {
    this.#returned.control += 131;
    this.connection.pong('unasked');
  }

  flush(): void {
    this.waiting.push(new Watch('flush()', this.connection.flush(), this.#note));
  }

  unsendable(): void {
    this.ends++;
    this.connection.send.next(5 as unknown as string);
  }

  completeSend(): void {
    this.ends++;
    this.connection.send.complete();
  }

  close(): void {
    this.ends++;
    this.connection.close(4000, this.#name);
  }

  terminate(): void {
    this.ends++;
    this.hasTerminated = true;
    this.connection.terminate();
  }

  /** All that was sent was delivered, and nothing waits: both ends are open, wanted, and the network is quiet. */
  checkAllDelivered(): void {
    const { connection } = this;
    const { messagesDropped, inboxBytes } = connection.stats;
    const lost = [...this.sent.outstanding.keys()];
    const dropped = messagesDropped - this.#returned.dropped;
    const isRight = this.sent.skipped + lost.length === dropped;
    const untold = this.#settings.notices ? this.#unnoticed.size : dropped;
    this.#mustBe(untold === dropped, `${untold} are not told to be handed over, ${dropped} were dropped`);
    this.#mustBe(isRight, `${dropped} were dropped, ${this.sent.skipped} left out, ${lost} did not arrive`);
    this.#mustBe(connection.bufferedAmount === 0, `bufferedAmount is ${connection.bufferedAmount} in the end`);
    this.#mustBe(connection.send.isReady, 'not ready in the end');
    this.#mustBe(inboxBytes === 0, `${inboxBytes} bytes wait in the end`);
    this.#mustBe(!this.port.isPaused, 'paused in spite of demand');
  }

  /** What was accepted was delivered, or is counted as dropped. */
  checkAccounted(): void {
    const { delivered } = this.sent;
    const { accepted, dropped } = this;
    this.#mustBe(
      delivered.length + dropped === accepted,
      `${accepted} messages were accepted, ${delivered.length} delivered, ${dropped} count as dropped`,
    );
  }

  /** The same by what is on the wire, where a Close frame ends it. */
  checkWire({ messages, isInMessage, closeCode }: WireRecord): void {
    const { accepted, dropped, endless } = this;
    this.#mustBe(
      messages + dropped <= accepted,
      `${messages} messages were sent and ${dropped} dropped, of ${accepted}`,
    );
    const isFailed = this.closeInfos[0]?.error instanceof ProtocolError;
    if (closeCode === undefined || isFailed) return;
    this.#mustBe(
      messages + dropped === accepted,
      `${messages} messages were sent and ${dropped} dropped, of ${accepted}`,
    );
    if (this.#settings.overflow === 'drop-oldest') return;
    // Nothing can follow a message that was begun and will not end.
    const isRight = isInMessage ? endless > 0 : accepted - messages <= endless;
    this.#mustBe(isRight, `${accepted - messages} were given up, of which ${endless} had no end`);
  }

  /** Nothing can be sent any more, and all know it. */
  checkBroken(): void {
    const { connection } = this;
    this.#mustBe(connection.trySend('late') === 'closed', 'something is sent though writing is no longer possible');
    this.#mustBe(!connection.send.isReady, 'ready though writing is no longer possible');
    const late = this.watches.filter(({ isOver, name }) => !isOver && name === 'ready$');
    this.#mustBe(late.length === 0, 'ready$ goes on though writing is no longer possible');
  }

  /** The other end is gone: all that arrived was delivered, and its Close frame says how it ended. */
  checkRead({ messages, closeCode }: WireRecord): void {
    const { code, wasClean } = this.closeInfos[0] ?? {};
    const { delivered } = this.received;
    this.#mustBe(delivered.length === messages, `${messages} messages arrived, ${delivered.length} were delivered`);
    this.#mustBe(code === (closeCode ?? 1006), `ended with ${code}, ${closeCode} came`);
    this.#mustBe(wasClean === (closeCode !== undefined), `wasClean is ${wasClean}`);
  }

  /** All answers came. */
  checkAnswered(): void {
    this.#mustBe(
      this.waiting.every(({ isOver }) => isOver),
      'a ping or flush waits in the end',
    );
  }

  /** Holds nothing back any more, and wants all that comes. */
  relax(): void {
    this.#isCalm = true;
    for (const hold of this.holds.splice(0)) hold.unsubscribe();
    this.resume();
    this.subscribe('nothing', 0);
  }

  /** What holds keep back was waited for, but not for ever. */
  checkFinishedInTime(): void {
    this.#mustBe(this.connection.readyState === 3, `readyState ${this.connection.readyState} after all deadlines`);
    this.#mustBe(
      this.watches.every(({ name, isOver }) => name !== 'finished$' || isOver),
      'not finished after all deadlines',
    );
  }

  /** It is over, and nothing is left. */
  checkEnd(): void {
    const { connection } = this;
    for (const stream of ['close', 'finished', 'ready', 'pings', 'pongs', 'sent'] as const) {
      this.watch(stream, 'nothing', 0);
    }
    this.subscribe('nothing', 0);
    this.ping();
    this.flush();
    this.#mustBe(this.closeInfos.length > 1, 'no close record');
    this.#mustBe(new Set(this.closeInfos).size === 1, 'close records that differ');
    this.#mustBe(connection.readyState === 3, `readyState ${connection.readyState} in the end`);
    for (const [what, all] of Object.entries({ messages$: this.subscribers, watch: this.watches })) {
      this.#mustBe(
        all.every(({ isOver, subscription }) => isOver && subscription?.closed),
        `a subscriber of ${what} was left`,
      );
    }
    this.checkAnswered();
    this.#mustBe(!connection.send.observed, 'send is observed');
    this.#mustBe((this.reception?.connections.size ?? 0) === 0, 'the server lists a connection that has ended');
    this.#mustBe(connection.bufferedAmount === 0, `bufferedAmount is ${connection.bufferedAmount} in the end`);
    this.#mustBe(connection.stats.inboxBytes === 0, `${connection.stats.inboxBytes} bytes wait in the end`);
    this.#mustBe(
      this.#opened.every(({ parts$ }) => !parts$.observed),
      'a source of parts is subscribed to',
    );
  }

  /** Whether what came may be left out, and later messages not. */
  get #mayMiss(): boolean {
    return this.hasLeft || this.#otherDrops;
  }

  #stream(stream: Stream): Observable<unknown> {
    const { connection } = this;
    switch (stream) {
      case 'pings':
        return connection.pings$;
      case 'pongs':
        return connection.pongs$;
      case 'close':
        return connection.close$;
      case 'ready':
        return connection.send.ready$;
      case 'sent':
        return connection.send.asObservable();
      case 'finished':
        return new Observable((subscriber) =>
          connection.onFinished({
            finished: (info) => {
              subscriber.next(info);
              subscriber.complete();
            },
          }),
        );
      default:
        return stream satisfies never;
    }
  }

  #noticed(value: unknown): void {
    this.#mustBe(this.#unnoticed.delete(value), 'told of what was not sent, or twice');
  }

  /** (1) before (2) before (3): see "The order of an end". */
  #checkClose(info: CloseInfo): void {
    this.closeInfos.push(info);
    const { code } = (info.error ?? {}) as { code?: unknown };
    const isMisread = info.error instanceof ProtocolError && code !== 'MESSAGE_TOO_SLOW';
    this.#mustBe(!isMisread || this.port.hasNoise, `found a fault in what the other end wrote: ${info.error?.message}`);
    this.#mustBe(code !== 'HEARTBEAT_TIMEOUT' || !this.port.isPaused, 'given up, though nobody listened');
    // Who comes later gets the record again.
    if (this.closeInfos.length > 1) return;
    this.#mustBe(this.connection.readyState === 3, 'close$ before readyState');
    const late = this.watches.filter(({ isOver, name }) => !isOver && /^(ready|sent|pings|pongs)/.test(name));
    this.#mustBe(late.length === 0, `close$ before ${late.map(({ name }) => name)}`);
    const waits = !this.isHeld && this.subscribers.some(({ isOver }) => !isOver);
    this.#mustBe(!waits, 'close$ before messages$');
  }

  #checkFirst(stream: Stream): void {
    // Nothing is welcome any more once writing is no longer possible.
    const isOver = this.connection.readyState === 3 || (stream === 'ready' && this.port.isBroken);
    this.#mustBe(isOver, `${stream}$ completed before the end`);
  }

  #checkFinished(): void {
    if (this.isFinished) return;
    this.isFinished = true;
    this.#mustBe(this.closeInfos.length > 0, 'finished before close$');
    this.#mustBe(
      this.subscribers.every(({ isOver }) => isOver),
      'finished before messages$',
    );
  }

  #outgoing(content: Content, sent: SentMessage, compress: boolean): Outgoing {
    const bytes = Buffer.from(sent.content);
    const options = compress ? { compress } : {};
    switch (content) {
      case 'large text':
        return message(sent.content, { compress: true });
      case 'text':
        return compress ? message(sent.content, options) : sent.content;
      case 'binary':
        return compress ? message(bytes, options) : bytes;
      case 'parts':
        return fragments(cut(bytes), options);
      case 'open': {
        const parts$ = new Subject<string>();
        this.#opened.push({ parts$, message: sent });
        return fragments(concat(of(sent.content), parts$), options);
      }
      case 'async parts': {
        const source = new ControlledParts(cut(bytes), () => this.endless--);
        this.#sources.push(source);
        return fragments(source, options);
      }
      default: {
        const blob = new ControlledBlob(bytes);
        this.#blobs.push(blob);
        return message(blob as unknown as Blob, options);
      }
    }
  }

  #react(reaction: Reaction, own: () => Subscription | undefined): void {
    if (this.#depth > 8 || (this.#isCalm && reaction === 'hold')) return;
    this.#depth++;
    this.#perform(reaction, own);
    this.#depth--;
  }

  #perform(reaction: Reaction, own: () => Subscription | undefined): void {
    switch (reaction) {
      case 'nothing':
        break;
      case 'leave':
        own()?.unsubscribe();
        break;
      case 'send':
        this.send('text', 5, false);
        break;
      case 'send much':
        for (let i = 0; i < 5; i++) this.send('binary', 700, false);
        break;
      case 'fill':
        this.produce('loop', 5);
        this.watch('ready', 'nothing', 0);
        break;
      case 'subscribe':
        this.subscribe('nothing', 0);
        break;
      case 'watch':
        for (const stream of ['close', 'ready', 'pings', 'sent'] as const) this.watch(stream, 'nothing', 0);
        break;
      default:
        this[reaction]();
    }
  }

  #mustBe(isRight: boolean, violation: string): void {
    if (!isRight) this.#note(violation);
  }
}

/** Whether frames are sent that no message stands for. */
function hasControlFrames({ client, server, steps }: Schedule): boolean {
  return client.heartbeat || server.heartbeat || /"p[io]ng"/.test(JSON.stringify(steps));
}

/** Text of about `size` bytes that begins with the number of its message. */
function bodyOf(id: number, size: number): string {
  return `${id} ${'The quick brown fox. '.repeat(Math.ceil(size / 21))}`.slice(0, Math.max(size, `${id} `.length));
}

function cut(bytes: Buffer): Buffer[] {
  const middle = bytes.length >> 1;
  return [bytes.subarray(0, middle), bytes.subarray(middle, middle), bytes.subarray(middle)];
}

function headerOf(length: number, side: Side): number {
  return (length < 126 ? 2 : length < 65_536 ? 4 : 10) + (side === 'client' ? 4 : 0);
}
