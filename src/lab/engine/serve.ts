import { isMisuse } from "../../base/index.ts";
import type { StepRow } from "../../simulation/index.ts";
import { type PackedRows, RowPacker } from "./pack.ts";
import { type PlanarNetwork, planarNetwork } from "./planar.ts";
import type { Numbered, Picture, Report, Request, Told } from "./protocol.ts";
import { Session, sentenceOf } from "./session.ts";

/** Rows leave together, once in so many milliseconds: two frames. */
const BATCH = 33;
/** Milliseconds between two pictures of the network while it runs. */
const PICTURE = 100;

/** So many rows tell what a row costs, or as many as come in so many milliseconds. */
const TRIED = 5;
const TRIED_FOR = 200;

/** What a worker has of its surroundings. */
export interface Channel {
  /** @param moved buffers that are handed over and not copied */
  tell(told: Told, moved: readonly ArrayBuffer[]): void;
  /** Calls back soon, after requests that are waiting. */
  soon(callback: () => void): void;
  /** Milliseconds. */
  now(): number;
}

/** Answers requests with reports, a row at a time, so that requests are heard between rows. */
export class Server {
  private readonly channel: Channel;
  private session: Session | undefined;
  private planar: PlanarNetwork | undefined;
  private packer = new RowPacker();
  private waiting: StepRow[] = [];
  private until = 0;
  private heard = 0;
  private going = false;
  private sent = 0;
  private pictured = 0;

  constructor(channel: Channel) {
    this.channel = channel;
  }

  /** Does what is asked; failures are told as sentences. */
  hear({ number, request }: Numbered): void {
    this.heard = number;
    try {
      this.answer(request);
    } catch (error) {
      this.fail(error);
    }
  }

  private answer(request: Request): void {
    switch (request.type) {
      case "init":
        this.begin(request.argv);
        return;
      case "run":
        this.until = request.until;
        this.go();
        return;
      case "step":
        this.until = (this.session?.rows ?? 0) + 1;
        this.go();
        return;
      case "pause":
        this.until = 0;
        return;
      case "fork": {
        if (!this.session) return;
        this.flush();
        const from = this.session.fork(request.step, request.argv);
        this.tell({ type: "cut", from });
        this.go();
        return;
      }
    }
  }

  private begin(argv: readonly string[]): void {
    this.until = 0;
    this.packer = new RowPacker();
    this.waiting = [];
    this.session?.built.dispose();
    this.session = undefined;
    const session = new Session(argv);
    this.session = session;
    const { built, config } = session;
    if (!this.planar?.serves(config)) this.planar = planarNetwork(config);
    const { dimension } = built.objective;
    // The warm start is part of making the simulation, and none of a row's cost.
    let cost = Number.POSITIVE_INFINITY;
    const begun = this.channel.now();
    for (let taken = 0; taken < TRIED && session.open; taken++) {
      const before = this.channel.now();
      this.waiting.push(session.step());
      // The first rows are slower than those that follow.
      cost = Math.min(cost, (this.channel.now() - before) / 1000);
      if (this.channel.now() - begun > TRIED_FOR) break;
    }
    this.tell({
      type: "ready",
      p: dimension,
      cost: Number.isFinite(cost) ? cost : 0,
      criticalValue: built.criticalValue,
      backend: built.backend,
      notices: built.notices,
      ...(this.planar && { planar: this.planar.data }),
    });
    this.flush();
    if (!session.open) this.rest();
  }

  private go(): void {
    if (this.going) return;
    this.going = true;
    this.channel.soon(this.turn);
  }

  /** One row, and the next turn. */
  private readonly turn = (): void => {
    const { session, channel } = this;
    if (!session) {
      this.going = false;
      return;
    }
    try {
      if (session.rows >= this.until || !session.open) {
        this.going = false;
        this.flush();
        this.rest();
        return;
      }
      this.waiting.push(session.step());
      if (channel.now() - this.sent >= BATCH) this.flush();
      channel.soon(this.turn);
    } catch (error) {
      this.flush();
      this.fail(error);
    }
  };

  private flush(): void {
    const { channel, session, waiting } = this;
    if (!session || waiting.length === 0) return;
    this.waiting = [];
    this.sent = channel.now();
    const rows: PackedRows = this.packer.pack(waiting);
    const picture = this.picture(session);
    this.tell({ type: "rows", rows, bits: session.trail.bits, ...(picture && { picture }) }, [
      rows.data.buffer,
    ]);
  }

  /** What the network does at the optimizer's weights, now and then and in the end. */
  private picture(session: Session): Picture | undefined {
    const { planar, channel } = this;
    const now = channel.now();
    const last = !session.open || session.rows >= this.until;
    if (!planar || (now - this.pictured < PICTURE && !last)) return undefined;
    this.pictured = now;
    const { processes } = session.built.simulation;
    const process = processes.find(({ kind }) => kind === "discrete") ?? processes[0];
    const weights = process.snapshot().w;
    return weights.every(Number.isFinite) ? planar.picture(session.rows, weights) : undefined;
  }

  private rest(): void {
    const { session } = this;
    if (!session) return;
    this.tell({ type: "rests", rows: session.rows, ended: session.ended(), over: !session.open });
  }

  private fail(error: unknown): void {
    this.going = false;
    this.tell({ type: "failed", sentence: sentenceOf(error), misuse: isMisuse(error) });
  }

  private tell(report: Report, moved: readonly ArrayBuffer[] = []): void {
    this.channel.tell({ heard: this.heard, report }, moved);
  }
}
