import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { config, VirtualTimeScheduler } from 'rxjs';
import { flushAll } from '../../../src/channel/flush-queue.js';
import { Slab } from '../../../src/channel/out/slab.js';
import { SimulatedClock } from './clock.js';
import { CLOSE_TIMEOUT } from './ends.js';
import { Party } from './party.js';
import { SimulatedPool } from './pool.js';
import { ITEM_SIZE, LARGE, type Schedule, type Side, type Step, sides } from './schedule.js';
import { readWire, type WireRecord } from './wire-check.js';

/** Longer than every timer of a connection that ends, in milliseconds. */
const LONG = 2 * CLOSE_TIMEOUT + 5_000;

/** Rounds in which a network of a few messages is surely quiet. */
const MANY_ROUNDS = 20_000;

/** What no decoder takes: reserved bits and a reserved opcode. */
const NOISE = Buffer.from('ff80', 'hex');

/** Runs `schedule` from its beginning to the end of both connections, and gives all that was wrong, in order. */
export function violationsOf(schedule: Schedule): string[] {
  const { now } = performance;
  const { onUnhandledError } = config;
  const trial = new Trial(schedule);
  const told = (message: unknown): void => trial.ended((message as { connection: unknown }).connection);
  if (Slab.current.position > 0) Slab.current = new Slab();
  performance.now = () => trial.clock.look();
  trial.pool.install();
  config.onUnhandledError = (error) => trial.note(`an error that nobody takes: ${error}`);
  subscribe('sluice:close', told);
  try {
    trial.run();
  } catch (error) {
    trial.note(`threw ${(error as Error).stack}`);
  } finally {
    unsubscribe('sluice:close', told);
    trial.pool.uninstall();
    performance.now = now;
    config.onUnhandledError = onUnhandledError;
  }
  return trial.violations;
}

class Trial {
  readonly violations: string[] = [];
  readonly clock: SimulatedClock;
  readonly pool = new SimulatedPool();
  readonly #schedule: Schedule;
  readonly #scheduler = new VirtualTimeScheduler();
  readonly #parties: Readonly<Record<Side, Party>>;
  readonly #longest: number;
  readonly #ended = new Set<unknown>();
  #where = 'at first';
  /** Whether bytes were lost or invented on the way: then nothing needs to arrive. */
  #isHurt = false;

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
    this.clock = new SimulatedClock(schedule.slowness);
    this.#longest = longestOf(schedule.steps);
    const note = (violation: string): void => this.note(violation);
    const times = { scheduler: this.#scheduler, clock: this.clock };
    const client = new Party('client', schedule, times, note);
    const server = new Party('server', schedule, times, note);
    client.port.peer = server.port;
    server.port.peer = client.port;
    client.received = server.sent;
    server.received = client.sent;
    this.#parties = { client, server };
  }

  note(violation: string): void {
    if (this.violations.length < 20) this.violations.push(`${this.#where}: ${violation}`);
  }

  /** The diagnostics were told that `connection` has ended. */
  ended(connection: unknown): void {
    if (this.#ended.has(connection)) this.note('the diagnostics were told twice of an end');
    this.#ended.add(connection);
  }

  run(): void {
    for (const [index, step] of this.#schedule.steps.entries()) {
      this.#where = `step ${index}`;
      this.#perform(step);
      this.#check();
      if (this.violations.length > 0) return;
    }
    flushAll();
    if (this.#schedule.released) this.#finishOpen();
    else this.#closeUnwanted(this.#schedule.closer);
    this.#where = 'at the end';
    this.#finish();
  }

  #perform(step: Step): void {
    if ('on' in step) this.#act(step, this.#parties[step.on]);
    else if (step.do === 'tick') flushAll();
    else if (step.do === 'turn') this.#turn();
    else if (step.do === 'encode') this.pool.finishOne();
    else if (step.do === 'pass') this.#pass(step.ms);
    else {
      this.#isHurt = true;
      this.#each(({ port }) => port.reset());
    }
  }

  #act(step: Extract<Step, { on: Side }>, party: Party): void {
    switch (step.do) {
      case 'deliver':
        party.port.deliver(step.size);
        break;
      case 'drain':
        party.port.drain();
        break;
      case 'cut':
        this.#cut(party, undefined);
        break;
      case 'noise':
        if (party.port.isAtBoundary && !party.port.hasEnded) this.#cut(party, NOISE);
        break;
      case 'subscribe':
        party.subscribe(step.reaction, step.at);
        break;
      case 'watch':
        party.watch(step.stream, step.reaction, step.at);
        break;
      case 'unsubscribe':
        party.unsubscribe(step.which);
        break;
      case 'send':
        party.send(step.content, step.size, step.compress);
        break;
      case 'produce':
        party.produce(step.how, step.items);
        break;
      case 'complete send':
        party.completeSend();
        break;
      default:
        party[step.do]();
    }
  }

  #cut({ port }: Party, last: Buffer | undefined): void {
    this.#isHurt = true;
    port.cut(last);
  }

  /** Everybody wants everything: if both ends are open then, nothing is lost. */
  #finishOpen(): void {
    this.#where = 'when all is wanted';
    this.#each((party) => party.relax());
    this.#settle();
    const closing = sides.filter((side) => this.#parties[side].connection.readyState === 2);
    if (closing.length > 0) this.note(`${closing} waits for nothing`);
    if (!this.#isOpen || this.#isHurt || this.#hasLeft) return;
    this.#each((party) => party.checkAllDelivered());
    const answers = sides.every((side) => this.#schedule[side].autoPong);
    if (answers) this.#each((party) => party.checkAnswered());
    if (this.#schedule.parting.how === 'close') this.#part();
    else this.#vanish();
  }

  /**
   * Both ends say their last words, and one or both close while these are still being encoded: all arrive but those without an end, and both
   * know how it ended.
   */
  #part(): void {
    this.#where = 'when they part';
    const { closers, openEnded } = this.#schedule.parting;
    this.#speak();
    for (const side of closers) this.#parties[side].close();
    this.#settle(openEnded);
    // Whoever was told something may have ended it otherwise, and what waits may be too much.
    const others = sides.filter((side) => this.#parties[side].ends !== Number(closers.includes(side)));
    if (others.length > 0 || this.#hasError) return;
    for (const side of sides) this.#checkParted(side);
  }

  #checkParted(side: Side): void {
    const { closers } = this.#schedule.parting;
    const party = this.#parties[side];
    const { code, reason, initiator, wasClean } = party.closeInfos[0] ?? {};
    const by = closers.find((closer) => closer !== side) ?? side;
    if (wasClean !== true) this.note(`the close is not clean for ${side}`);
    if (initiator !== (closers.includes(side) ? 'local' : 'peer')) this.note(`${side}: ${initiator} began`);
    const isOwn = closers.length === 1 && closers[0] === side;
    if (code !== 4000 || (!isOwn && reason !== by)) this.note(`${side}: closed with ${code} ${reason}`);
    party.checkAccounted();
  }

  /** The last words, of different kinds; with `openEnded` one that has no end. */
  #speak(): void {
    const { words, openEnded } = this.#schedule.parting;
    for (const side of sides) {
      const party = this.#parties[side];
      for (const content of words[side]) party.send(content, content.startsWith('large') ? LARGE : 50, false);
      if (openEnded === side) party.send(words[side].length % 2 === 0 ? 'open' : 'async parts', 50, false);
      if (openEnded === side) party.send('text', 50, false);
    }
  }

  /** The process at one end is gone: what has arrived at the other is delivered whenever it is wanted, whatever is written meanwhile. */
  #vanish(): void {
    this.#where = 'when one is gone';
    const { closers, holds } = this.#schedule.parting;
    const gone = this.#parties[closers[0] as Side];
    const left = this.#parties[closers[0] === 'client' ? 'server' : 'client'];
    if (holds) left.hold();
    for (let i = 0; i < 12; i++) gone.send('text', 300, false);
    if (closers.length > 1) gone.close();
    flushAll();
    gone.port.drain();
    left.port.deliver(500);
    gone.vanish();
    left.send('text', 5, false);
    left.ping();
    flushAll();
    left.port.drain();
    this.#turn();
    if (!gone.hasVanished || left.hasLeft || this.#isHurt) return;
    if (left.port.isBroken && left.connection.readyState !== 3) left.checkBroken();
    // As long as it does not read, nothing ends it.
    if (left.port.isPaused) this.#pass(10 * LONG);
    this.#checkLeft(left, gone);
  }

  /** `left` has outlived `gone`, and wants what arrived. */
  #checkLeft(left: Party, gone: Party): void {
    left.relax();
    this.#settle();
    // What has passed while it is held back is dropped by the rules, and so is what comes behind a fault.
    const { error } = left.closeInfos[0] ?? {};
    const isLost = error === undefined || ['ECONNRESET', 'EPIPE', '1006'].includes(codeOf(error));
    if (left.hasLeft || this.#isHurt || !isLost) return;
    left.checkRead(this.#wireOf(gone === this.#parties.client ? 'client' : 'server'));
  }

  /** One end closes though nobody wants what comes: the other one's Close frame is read all the same. */
  #closeUnwanted(closer: Side): void {
    this.#where = 'when one closes that wants nothing';
    const party = this.#parties[closer];
    const other = this.#parties[closer === 'client' ? 'server' : 'client'];
    other.relax();
    this.#settle();
    if (!this.#isOpen || this.#isHurt || this.#hasLeft) return;
    party.close();
    this.#settle();
    if (party.hasTerminated || other.hasTerminated || party.closeInfos[0]?.error !== undefined) return;
    // Its Close frame waits behind a message whose end nobody knows.
    if (this.#schedule.stuck === closer) return;
    if (party.closeInfos[0]?.wasClean !== true) this.note('the close is not clean');
  }

  /** Ends both connections, whatever their state, and looks for what is left. */
  #finish(): void {
    this.#settle();
    this.#finishLeft();
    const closing = sides.filter((side) => this.#parties[side].connection.readyState === 2);
    for (let i = 0; closing.length > 0 && i < 4; i++) this.#pass(LONG / 4);
    for (const side of closing) {
      if (this.#parties[side].connection.readyState !== 3) this.note(`${side} is closing for ever`);
    }
    this.#terminateOne();
    this.#each((party) => party.terminate());
    this.#settle();
    if (sides.every((side) => this.#parties[side].isFinished)) this.#checkTimers();
    else this.#pass(LONG);
    this.#each((party) => party.checkFinishedInTime());
    this.#each((party) => party.relax());
    this.#settle();
    this.#each((party) => party.checkEnd());
    this.#settle();
    this.#checkTimers();
    // Another trial must find what this one has found.
    if (Slab.current.position > 0) this.note('memory for writes was not given back');
    for (const side of sides) this.#checkWire(side);
  }

  /** One end is terminated: the other one sees it if it reads, and waits no longer than closeTimeout for what is held. */
  #terminateOne(): void {
    this.#parties[this.#schedule.parting.closers[0] ?? 'server'].terminate();
    this.#settle();
    this.#pass(LONG);
    this.#each((party) => {
      if (party.connection.readyState === 3) party.checkFinishedInTime();
    });
  }

  /** Who has outlived the other wants what it has left. */
  #finishLeft(): void {
    for (const side of sides) {
      const [left, gone] = [this.#parties[side], this.#parties[side === 'client' ? 'server' : 'client']];
      if (gone.hasVanished && !left.hasOutwaited) this.#checkLeft(left, gone);
    }
  }

  #checkTimers(): void {
    const left = this.#scheduler.actions.length;
    if (left > 0) this.note(`${left} timers are left`);
  }

  #checkWire(side: Side): void {
    const wire = this.#wireOf(side);
    for (const fault of wire.faults) this.note(fault);
    this.#parties[side].checkWire(wire);
  }

  #wireOf(side: Side): WireRecord {
    const { port } = this.#parties[side];
    const isWhole = port.pending === 0 && !port.wasLost;
    return readWire(side, port.log, isWhole, this.#schedule.deflate !== undefined);
  }

  /** Whose messages in parts do not come to their end. */
  get #stuck(): Party | undefined {
    const { released, stuck } = this.#schedule;
    return released || stuck === undefined ? undefined : this.#parties[stuck];
  }

  get #isOpen(): boolean {
    return sides.every((side) => this.#parties[side].connection.readyState === 1);
  }

  get #hasError(): boolean {
    return sides.some((side) => this.#parties[side].closeInfos[0]?.error !== undefined);
  }

  get #hasLeft(): boolean {
    return sides.some((side) => this.#parties[side].hasLeft);
  }

  #each(work: (party: Party) => void): void {
    for (const side of sides) work(this.#parties[side]);
  }

  #turn(): void {
    this.#each(({ port }) => port.turn());
  }

  /**
   * Delivers and does all that can be done without time.
   *
   * @param openEnded whose messages without an end stay without one.
   */
  #settle(openEnded?: Side): void {
    for (let round = 0; round < MANY_ROUNDS; round++) {
      flushAll();
      let isQuiet = this.pool.isIdle;
      this.pool.finishOne();
      for (const side of sides) {
        const party = this.#parties[side];
        const isEndless = party === this.#stuck || side === openEnded;
        if (isEndless ? party.completeBlobs() : party.completeAll()) isQuiet = false;
        if (party.port.isQuiet) continue;
        isQuiet = false;
        party.port.deliver(65_536);
        party.port.drain();
        party.port.turn();
      }
      if (isQuiet) return;
    }
    this.note('it is never quiet');
  }

  /** Lets time pass: what is due at one moment is flushed before the next. */
  #pass(ms: number): void {
    const scheduler = this.#scheduler;
    const end = scheduler.now() + ms;
    scheduler.schedule(() => {}, ms);
    while (scheduler.actions[0] !== undefined && scheduler.actions[0].delay <= end) {
      flushAll();
      scheduler.maxFrames = scheduler.actions[0].delay;
      scheduler.flush();
    }
    flushAll();
    this.#each((party) => party.waited());
  }

  #check(): void {
    this.#each((party) => party.check(this.#longest));
  }
}

function codeOf(error: Error): string {
  return String((error as { code?: unknown }).code);
}

function longestOf(steps: readonly Step[]): number {
  return Math.max(4_000, ...steps.map(sizeOf));
}

function sizeOf(step: Step): number {
  if (step.do === 'send') return step.size;
  return step.do === 'produce' && step.how === 'parts' ? step.items * ITEM_SIZE : 0;
}
