import type { RunConfig } from "../../../settings/index.ts";
import type { StepRow } from "../../../simulation/index.ts";
import type { EndedProcess, Picture, PlanarData, Report } from "../../engine/protocol.ts";
import { type Bits, comparedBits } from "../../link/bits.ts";
import { type ChartName, type LabLink, readLink, USUAL_VIEW, type View, writeLink } from "../../link/link.ts";
import { LAB_PRESETS } from "../../link/presets.ts";
import { argvOf, type Pairs, readPairs, withPair } from "../../link/words.ts";
import { Signal } from "../dom/signal.ts";
import { atEdge, shortLabel } from "./labels.ts";
import { Workers } from "./workers.ts";

/** How the run stands. */
export type Phase = "starting" | "running" | "paused" | "over" | "asking" | "failed";

/** A run kept beside the one that is computed; its rows may be still to come. */
export interface KeptRun {
  readonly pairs: Pairs;
  readonly label: string;
  readonly rows: readonly StepRow[];
  readonly criticalValue: number;
}

/** A sentence that stays until it is dismissed or no longer true, with what may be done. */
export interface Note {
  readonly kind: "error" | "warning" | "good";
  readonly text: string;
  readonly actions?: readonly { readonly label: string; readonly act: () => void }[];
}

/** A run that would take longer is not begun before someone has said so. */
const LONG_RUN = 20;
/** Milliseconds that a request takes to a worker that computes, with some to spare. */
const ON_THE_WAY = 80;

/** The lab without its page: what is run, how far it is, what is said of it. */
export class Lab {
  readonly changed = new Signal<Lab>(this);
  readonly rowsChanged = new Signal<Lab>(this);
  pairs: Pairs = new Map();
  config: RunConfig | undefined;
  view: View = USUAL_VIEW;
  embed: ChartName | undefined;
  tour: string | undefined;
  wanted: Bits | undefined;
  phase: Phase = "starting";
  rows: StepRow[] = [];
  bits: Bits | undefined;
  criticalValue = 2;
  /** Rows a second. */
  speed = 0;
  p = 0;
  planar: PlanarData | undefined;
  picture: Picture | undefined;
  ended: readonly EndedProcess[] = [];
  notes: ReadonlyMap<string, Note> = new Map();
  kept: readonly KeptRun[] = [];
  private readonly workers: Workers;
  /** What an event is worth saying aloud to those who do not see. */
  private readonly announce: (words: string) => void;
  /** The kept run that is computed, while the first one rests. */
  private computing: number | undefined;
  private begun = 0;
  private begunAt = 0;
  private saidEdge = false;

  constructor(announce: (words: string) => void) {
    this.announce = announce;
    this.workers = new Workers({
      report: (report) => this.hear(report),
      rows: (rows, { bits, picture }) => this.take(rows, bits, picture),
      slow: (seconds) => this.slow(seconds),
      gone: (reason) => this.gone(reason),
    });
  }

  /** Shows what a link says. @param hash of an address @param asking whether a long run waits for a word */
  open(hash: string, asking = false): void {
    let link: ReturnType<typeof readLink>;
    try {
      link = readLink(hash);
      const known = link && link.runs.length > 0 ? link : readLink(LAB_PRESETS[0].link);
      if (!known) return;
      const runs = known.runs.map((pairs) => ({ pairs, config: readPairs(pairs).config }));
      this.view = link?.view ?? known.view;
      this.embed = link?.embed;
      this.tour = link?.tour;
      this.wanted = link?.bits;
      this.pairs = runs[0].pairs;
      this.config = runs[0].config;
      this.kept = runs.slice(1).map(({ pairs }) => ({
        pairs,
        label: shortLabel(runs[0].pairs, pairs),
        rows: [],
        criticalValue: 2,
      }));
    } catch (error) {
      this.note("link", {
        kind: "error",
        text: `This link cannot be read. ${(error as Error).message}`,
        actions: [{ label: "Start with the first example", act: () => this.open(LAB_PRESETS[0].link) }],
      });
      this.phase = "failed";
      this.touch();
      return;
    }
    this.notes = new Map();
    this.start(asking);
  }

  /** The link of what is shown. @param withBits whether it carries the bits of a run that is over */
  link(withBits = false): string {
    const state: LabLink = {
      runs: [this.pairs, ...this.kept.map(({ pairs }) => pairs)],
      view: this.view,
      ...(this.embed && { embed: this.embed }),
      ...(this.tour !== undefined && { tour: this.tour }),
      ...(withBits && this.bits && this.phase === "over" && { bits: this.bits }),
    };
    return writeLink(state);
  }

  /** Begins the run from its first row. @param asking whether a long one waits for a word @param hold whether it rests there */
  start(asking = false, hold = false): void {
    this.computing = undefined;
    this.rows = [];
    this.bits = undefined;
    this.ended = [];
    this.speed = 0;
    this.saidEdge = false;
    this.phase = "starting";
    this.forget("run", "slow", "bits");
    this.asking = asking;
    this.hold = hold;
    this.workers.begin(argvOf(this.pairs));
    this.touch();
  }

  private asking = false;

  /** Runs on, or again where the run is over. */
  run(): void {
    if (this.phase === "running" || this.phase === "starting") return;
    this.forget("slow");
    if (this.phase !== "over" && this.rows.length > 0 && this.workers.alive) this.goOn();
    else this.start();
  }

  /** Runs or pauses. */
  toggle(): void {
    if (this.phase === "running") this.pause();
    else this.run();
  }

  pause(): void {
    if (this.phase !== "running") return;
    this.workers.ask({ type: "pause" });
    this.phase = "paused";
    this.touch();
  }

  step(): void {
    if (this.phase === "running") this.pause();
    else if (this.phase === "over" || this.phase === "failed") this.reset();
    else {
      this.workers.ask({ type: "step" });
      this.phase = "paused";
      this.touch();
    }
  }

  /** Back to the first row, paused there. */
  reset(): void {
    this.start(false, true);
  }

  private hold = false;

  /** Sets a flag or a part and runs again. Returns the sentence where that is no run. */
  set(key: string, value: string | undefined): string | undefined {
    return this.setAll(withPair(this.pairs, key, value));
  }

  /** Takes other pairs and runs them. Returns the sentence where they are no run. */
  setAll(pairs: Pairs): string | undefined {
    try {
      this.config = readPairs(pairs).config;
    } catch (error) {
      return (error as Error).message;
    }
    this.pairs = pairs;
    this.wanted = undefined;
    this.start();
    return undefined;
  }

  /** η now: that of the last change, or the first. */
  get rate(): number {
    const { opt } = this.config ?? {};
    return opt?.lrAt?.at(-1)?.[1] ?? opt?.lr ?? Number.NaN;
  }

  /** Changes η: under way it goes on from there with another η, else the run begins again. */
  setRate(rate: number): string | undefined {
    const { config, rows, phase } = this;
    const under = (phase === "running" || phase === "paused") && rows.length > 0;
    const pliable = config && (config.opt.schedule === "constant" || config.opt.schedule === "piecewise");
    if (!under || !pliable) {
      const plain = withPair(withPair(this.pairs, "opt.lr-at", undefined), "opt.schedule", undefined);
      return this.setAll(withPair(pliable ? plain : this.pairs, "opt.lr", String(rate)));
    }
    const ahead = phase === "running" ? Math.ceil((this.speed * ON_THE_WAY) / 1000) + 1 : 0;
    const index = rows.length + ahead;
    if (index >= config.steps) return undefined;
    const at = index + rows[0].step;
    const before = (config.opt.lrAt ?? []).filter(([step]) => step < at);
    const changes = [...before, [at, rate]].map(([step, lr]) => `${step}:${lr}`).join(",");
    const pairs = withPair(withPair(this.pairs, "opt.schedule", "piecewise"), "opt.lr-at", changes);
    try {
      this.config = readPairs(pairs).config;
    } catch (error) {
      return (error as Error).message;
    }
    this.pairs = pairs;
    this.wanted = undefined;
    this.workers.ask({ type: "fork", step: index, argv: argvOf(pairs) });
    this.touch();
    return undefined;
  }

  /** Keeps the run beside those to come. */
  keep(): void {
    if (this.rows.length === 0) return;
    const run = {
      pairs: this.pairs,
      label: shortLabel(new Map(), this.pairs),
      rows: this.rows,
      criticalValue: this.criticalValue,
    };
    this.kept = [...this.kept, run];
    this.announce(`kept ${run.label}`);
    this.touch();
    this.rowsChanged.value = this;
  }

  drop(index: number): void {
    this.kept = this.kept.filter((_, i) => i !== index);
    this.touch();
    this.rowsChanged.value = this;
  }

  setView(view: Partial<View>): void {
    this.view = { ...this.view, ...view };
    this.touch();
    this.rowsChanged.value = this;
  }

  /** Shows rows from a file: nothing is computed. */
  show(pairs: Pairs, rows: StepRow[], criticalValue: number): void {
    this.workers.end();
    this.pairs = pairs;
    this.config = readPairs(pairs).config;
    this.rows = rows;
    this.criticalValue = criticalValue;
    this.bits = undefined;
    this.picture = undefined;
    this.planar = undefined;
    this.notes = new Map();
    this.phase = "over";
    this.touch();
    this.rowsChanged.value = this;
  }

  note(id: string, note: Note): void {
    this.notes = new Map(this.notes).set(id, note);
    if (note.kind !== "good") this.announce(note.text);
    this.touch();
  }

  forget(...ids: string[]): void {
    const notes = new Map(this.notes);
    for (const id of ids) notes.delete(id);
    this.notes = notes;
    this.touch();
  }

  private touch(): void {
    this.changed.value = this;
  }

  private goOn(): void {
    this.forget("run");
    this.phase = "running";
    this.begun = this.rows.length;
    this.begunAt = performance.now();
    this.workers.ask({ type: "run", until: this.config?.steps ?? 0 });
    this.touch();
  }

  private hear(report: Exclude<Report, { type: "rows" }>): void {
    switch (report.type) {
      case "ready":
        this.ready(report);
        return;
      case "cut":
        if (this.computing === undefined) this.rows = this.rows.slice(0, report.from);
        return;
      case "rests":
        this.rest(report);
        return;
      case "failed":
        if (this.computing !== undefined) this.nextKept();
        else {
          this.phase = "failed";
          this.note("run", { kind: "error", text: report.sentence });
        }
        return;
    }
  }

  private ready(report: Extract<Report, { type: "ready" }>): void {
    const { computing, config } = this;
    if (computing !== undefined) {
      this.kept = this.kept.map((run, i) =>
        i === computing ? { ...run, criticalValue: report.criticalValue } : run,
      );
      this.workers.ask({ type: "run", until: Number.MAX_SAFE_INTEGER });
      return;
    }
    this.p = report.p;
    this.criticalValue = report.criticalValue;
    this.planar = report.planar;
    this.picture = undefined;
    for (const [i, text] of report.notices.entries()) this.note(`notice-${i}`, { kind: "warning", text });
    const seconds = report.cost * (config?.steps ?? 0);
    if (this.hold) this.phase = "paused";
    else if (this.asking && seconds > LONG_RUN) {
      this.phase = "asking";
      this.note("run", {
        kind: "warning",
        text: `This run takes about ${Math.round(seconds)} s here.`,
        actions: [
          {
            label: "Run it",
            act: () => this.goOn(),
          },
        ],
      });
    } else this.goOn();
    this.touch();
  }

  private take(rows: StepRow[], bits: Bits, picture: Picture | undefined): void {
    if (this.computing !== undefined) {
      const at = this.computing;
      this.kept = this.kept.map((run, i) => (i === at ? { ...run, rows: [...run.rows, ...rows] } : run));
      if (this.notes.has("slow")) this.forget("slow");
      this.rowsChanged.value = this;
      return;
    }
    const first = rows[0].index;
    this.rows = [...this.rows.slice(0, first), ...rows];
    this.bits = bits;
    this.forget("slow");
    if (picture) this.picture = picture;
    const seconds = (performance.now() - this.begunAt) / 1000;
    if (this.phase === "running" && seconds > 0.1) this.speed = (this.rows.length - this.begun) / seconds;
    const edge = this.saidEdge ? undefined : rows.find((row) => atEdge(row, this.criticalValue));
    if (edge) {
      this.saidEdge = true;
      this.announce(`at the edge of stability from step ${edge.step} on`);
    }
    this.compare();
    this.touch();
    this.rowsChanged.value = this;
  }

  private compare(): void {
    const { wanted, bits } = this;
    if (!wanted || !bits) return;
    const found = comparedBits(wanted, bits);
    if (found?.same) this.note("bits", { kind: "good", text: "Reproduced to the bit." });
    else if (found)
      this.note("bits", {
        kind: "warning",
        text: `Differs from the run of the link between rows ${found.after} and ${found.by}: another version computed that.`,
      });
  }

  private rest({ ended, over }: Extract<Report, { type: "rests" }>): void {
    if (this.computing !== undefined) {
      if (over) this.nextKept();
      return;
    }
    this.ended = ended;
    if (!over) {
      this.touch();
      return;
    }
    this.phase = "over";
    const failed = ended.find((each) => each.failed);
    if (failed) this.note("run", { kind: "error", text: failed.sentence, actions: this.gentler() });
    else this.announce(`finished ${this.rows.length} steps`);
    this.touch();
    this.rowsChanged.value = this;
    this.nextKept();
  }

  /** Computes the next kept run that has no rows yet. */
  private nextKept(): void {
    const from = (this.computing ?? -1) + 1;
    const next = this.kept.findIndex(({ rows }, i) => i >= from && rows.length === 0);
    this.computing = next < 0 ? undefined : next;
    if (next >= 0) this.workers.begin(argvOf(this.kept[next].pairs));
    this.touch();
  }

  private gentler(): Note["actions"] {
    const rate = Number((this.rate / 4).toPrecision(3));
    return [
      {
        label: `η ÷ 4 = ${rate}`,
        act: () => {
          const plain = withPair(withPair(this.pairs, "opt.lr-at", undefined), "opt.schedule", undefined);
          this.setAll(withPair(plain, "opt.lr", String(rate)));
        },
      },
    ];
  }

  private slow(seconds: number): void {
    const { computing } = this;
    const step = this.rows.length;
    if (computing !== undefined) {
      if (seconds > 3)
        this.note("slow", {
          kind: "warning",
          text: `${this.kept[computing].label} takes long: ${seconds} s.`,
        });
      return;
    }
    this.note("slow", {
      kind: "warning",
      text: step === 0 ? `Getting ready takes long: ${seconds} s.` : `Step ${step} takes long: ${seconds} s.`,
      actions: [{ label: "Stop", act: () => this.stop() }],
    });
  }

  private stop(): void {
    this.workers.end();
    this.phase = "over";
    this.forget("slow");
    this.note("run", {
      kind: "warning",
      text: `Stopped after ${this.rows.length} rows.`,
      actions: this.gentler(),
    });
  }

  private gone(reason: string): void {
    this.computing = undefined;
    this.phase = "over";
    this.forget("slow");
    this.note("run", {
      kind: "error",
      text: `Computing was given up (${reason}). The ${this.rows.length} rows that came are kept.`,
      actions: this.gentler(),
    });
  }
}
