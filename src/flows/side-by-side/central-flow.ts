import {
  type Backend,
  type ExampleArrays,
  type ExampleLoss,
  type LossDefinition,
  Objective,
  type ObjectiveOptions,
  type Shapes,
  selectBackend,
  sizeOf,
  type WeightLoss,
} from "../../autodiff/index.ts";
import { kindError, type ShouldStop, valueError } from "../../base/index.ts";
import type { EigenSettings } from "../dynamics/eigen-tracker.ts";
import { checkProcess } from "../processes/entry.ts";
import type { Process, ProcessSetup, ProcessStatus } from "../processes/process.ts";
import { type CentralSettings, PROCESS_DEFAULTS, type StableSettings } from "../processes/settings.ts";
import { warmStart } from "../processes/warm-start.ts";
import { type CompiledRule, compileRule } from "../rules/compile.ts";
import type { UpdateRule } from "../rules/update-rule.ts";
import { PROCESS_KINDS, type ProcessKind, processEntry } from "../table.ts";
import { type FlowRow, type ProcessRow, processRow } from "./row.ts";
import { finiteStart, flatWeights, type Weights } from "./start.ts";
import { type Steps, type StepsOptions, stepsOf } from "./steps.ts";

/** The defaults of `processes`. */
type Usual = "discrete" | "central";

/** What `centralFlow` is told besides the loss; only weights and optimizer have no default. */
export interface CentralFlowOptions<P extends Shapes = Shapes, K extends ProcessKind = ProcessKind>
  extends Pick<ObjectiveOptions, "chunk" | "memory" | "threads"> {
  /** Where all start, before any warm start: all numbers in a row, or by parameter. Copied. */
  readonly weights: Weights<P>;
  /**
   * The update rule with its options, such as `gradientDescent({ lr: 0.3 })`, or one of your own from `defineRule`, of which
   * `checkUpdateRule` says whether it is as it says.
   */
  readonly optimizer: UpdateRule;
  /** What runs side by side. Default the optimizer, `discrete`, and its `central` flow. */
  readonly processes?: readonly K[];
  /** Steps that the optimizer takes alone before all start from where it is. Default 0. */
  readonly warmStart?: number;
  /** How eigenvalues are tracked, where not as the command line does. Default every step. */
  readonly eigen?: Partial<EigenSettings>;
  /** How central flows take steps, where not as the command line does. */
  readonly central?: Partial<CentralSettings>;
  /** The same of the stable flow. */
  readonly stable?: Partial<StableSettings>;
  /** Of the random vectors that eigensolvers start from. Default 0. */
  readonly seed?: number;
  /** What computes. Default `auto`: WebAssembly where there is any. Same bits. */
  readonly backend?: "auto" | "js" | "wasm" | Backend;
  /** Asked while the flow is made, which takes the warm start: true ends that with `Stopped`. */
  readonly shouldStop?: ShouldStop;
}

/** The names of all options. */
const OPTIONS: Readonly<Record<keyof CentralFlowOptions | keyof WeightLoss | keyof ExampleLoss, true>> = {
  parameters: true,
  loss: true,
  examples: true,
  outputs: true,
  criterion: true,
  rowWeights: true,
  weights: true,
  optimizer: true,
  processes: true,
  warmStart: true,
  eigen: true,
  central: true,
  stable: true,
  seed: true,
  backend: true,
  chunk: true,
  memory: true,
  threads: true,
  shouldStop: true,
};

/** An optimizer and its flows side by side, at their current step: made by `centralFlow`. */
export class CentralFlow<
  P extends Shapes = Shapes,
  E extends ExampleArrays = ExampleArrays,
  K extends ProcessKind = ProcessKind,
> {
  /** The loss with its derivatives, shared by all: whoever asks it something sets its weights first. */
  readonly objective: Objective<P, E>;
  readonly rule: CompiledRule;
  /** The edge of stability of the effective sharpness under the optimizer; for gradient descent 2. */
  readonly criticalValue: number;
  private readonly processes: readonly Process[];
  private readonly lengths: ReadonlyMap<string, number>;
  private taken: number;

  /** As `centralFlow`. */
  constructor(options: CentralFlowOptions<P, K> & LossDefinition<P, E>) {
    checkNames(options);
    const { optimizer, eigen, central, stable, backend = "auto", shouldStop } = options;
    const { chunk, memory, threads, warmStart: warmSteps = 0 } = options;
    const seed = checkCount("seed", options.seed ?? 0, 0);
    const kinds = checkedKinds(options.processes);
    this.objective = new Objective<P, E>(options, {
      backend: typeof backend === "string" ? selectBackend(backend).backend : backend,
      ...(chunk !== undefined && { chunk }),
      ...(memory !== undefined && { memory }),
      ...(threads !== undefined && { threads }),
      ...(shouldStop && { shouldStop }),
    });
    const objective = this.objective as unknown as Objective;
    this.lengths = new Map(Object.entries(options.parameters).map(([name, shape]) => [name, sizeOf(shape)]));
    this.rule = compileRule(checkedRule(optimizer), objective.dimension);
    this.criticalValue = optimizer.criticalValue;
    const entries = kinds.map((kind) => processEntry(kind));
    for (const entry of entries) checkProcess(entry, this.rule);
    const weights = flatWeights(options.weights as Weights, this.lengths);
    const settings = { ...PROCESS_DEFAULTS.eigen, frequency: 1, ...eigen };
    checkCount("eigen.frequency", settings.frequency, 1);
    const startLoss = finiteStart(objective, weights, true);
    const state = optimizer.initialState(objective.dimension);
    this.taken = warmStart(objective, this.rule, weights, state, checkCount("warmStart", warmSteps, 0));
    const setup: ProcessSetup = {
      ...{ objective, rule: this.rule, weights, state, seed, startLoss, eigen: settings },
      rawEigenvalues: this.rule.preconditionerIsUniform,
    };
    const flows = {
      central: { ...PROCESS_DEFAULTS.central, ...central },
      stable: { ...PROCESS_DEFAULTS.stable, ...stable },
    };
    this.processes = entries.map((entry) => entry.create(setup, flows));
    this.objective.shouldStop = undefined;
  }

  /** Optimizer steps taken, those of the warm start included. */
  get step(): number {
    return this.taken;
  }

  /** How each process stands; one that has failed says why, and no step follows. */
  get statuses(): { readonly [Kind in K]: ProcessStatus } {
    return Object.fromEntries(this.processes.map(({ kind, status }) => [kind, status])) as {
      readonly [Kind in K]: ProcessStatus;
    };
  }

  /**
   * The next steps, row by row: each is what there is to see before all move. Where a process fails there are no more
   * (`statuses` says why); asked again it goes on from where it is.
   *
   *     for (const { step, discrete, central } of flow.steps(300)) …
   *     for await (const row of flow.steps({ count: 300, signal })) …
   *
   * @param how how many, or that and what ends them early. Default 50
   * @throws InputValueError for a count that is none; the loop throws the reason of an aborted signal
   */
  steps(how: number | StepsOptions = {}): Steps<FlowRow<K>> {
    const options = typeof how === "number" ? { count: how } : how;
    return stepsOf({ next: (shouldStop) => this.next(shouldStop) }, options);
  }

  /** The weights of a row by parameter: views of them. */
  named(weights: Float64Array): { readonly [Name in keyof P]: Float64Array } {
    let at = 0;
    const parts = [...this.lengths].map(([name, length]) => {
      const part = weights.subarray(at, at + length);
      at += length;
      return [name, part] as const;
    });
    return Object.fromEntries(parts) as { readonly [Name in keyof P]: Float64Array };
  }

  /** Lets other threads go of the objective, where `threads` asked for them. */
  dispose(): void {
    this.objective.dispose();
  }

  private next(shouldStop: ShouldStop | undefined): FlowRow<K> | undefined {
    const running = (): boolean => this.processes.some(({ status }) => status.kind === "running");
    if (this.failed || !running()) return undefined;
    this.objective.shouldStop = shouldStop;
    try {
      for (const process of this.processes) process.prepare();
    } catch (error) {
      for (const process of this.processes) process.withdraw();
      throw error;
    } finally {
      this.objective.shouldStop = undefined;
    }
    if (this.failed) return undefined;
    const rows = this.processes.map((process) => [process.kind, processRow(process, this.rule)] as const);
    for (const process of this.processes) process.advance();
    return { step: this.taken++, ...(Object.fromEntries(rows) as Record<K, ProcessRow>) };
  }

  private get failed(): boolean {
    return this.processes.some(({ status }) => status.kind === "failed");
  }
}

/**
 * An optimizer and its central flow, side by side from the same weights, ready to take steps. The loss is told as to
 * `Objective`: parameters and `loss`, or parameters, `examples`, `outputs` and `criterion`; of a network of this package
 * `...supervisedLoss(model, criterion, examples)` says it. Everything else but weights and optimizer has the command
 * line's default.
 *
 * @throws InputKindError or InputValueError for what does not fit, naming it, and where loss, gradient or Hessian is no
 *   number at the weights; Stopped where `shouldStop` answers true
 * Cost: tracing and planning, and the warm start.
 */
export function centralFlow<
  const P extends Shapes,
  E extends ExampleArrays = ExampleArrays,
  const K extends ProcessKind = Usual,
>(options: CentralFlowOptions<P, K> & LossDefinition<P, E>): CentralFlow<P, E, K> {
  return new CentralFlow<P, E, K>(options);
}

/** Refuses names that nobody reads: programs without types misspell them silently. */
function checkNames(options: object): void {
  if (typeof options !== "object" || options === null)
    throw kindError("centralFlow", "a record of options", String(options));
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(OPTIONS, name));
  if (unknown !== undefined)
    throw valueError("centralFlow", `options among ${Object.keys(OPTIONS).join(", ")}`, unknown);
}

/** `value` itself. @throws InputValueError where it is no whole number of at least `least` */
function checkCount(name: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw valueError(name, `a whole number ≥ ${least}`, String(value));
}

function checkedRule(optimizer: UpdateRule): UpdateRule {
  if (typeof optimizer !== "object" || optimizer === null)
    throw kindError(
      "optimizer",
      "an update rule",
      typeof optimizer,
      "call it with its options: gradientDescent({ lr: 0.3 })",
    );
  return optimizer;
}

function checkedKinds(given: readonly ProcessKind[] | undefined): readonly ProcessKind[] {
  const kinds = given ?? (["discrete", "central"] satisfies Usual[]);
  const wrong = kinds.find((kind, i) => !PROCESS_KINDS.includes(kind) || kinds.indexOf(kind) !== i);
  if (wrong !== undefined || kinds.length === 0)
    throw valueError("processes", `some of ${PROCESS_KINDS.join(", ")}, each once`, wrong ?? "none");
  return kinds;
}
