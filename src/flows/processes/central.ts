import type { Objective } from "../../autodiff/index.ts";
import { valueError } from "../../base/index.ts";
import { gradientNoise } from "../batches/gradient-noise.ts";
import {
  ACCEPTABLE_VIOLATION,
  type CentralSubstep,
  type CentralSubstepOptions,
  centralSubstep,
  stableSubstep,
} from "../dynamics/central-substep.ts";
import { leading, type TrackedPairs } from "../dynamics/eigen-tracker.ts";
import { defaultIntegrator, type Integrator, middleOf, noPush, pointAt } from "../dynamics/integrator.ts";
import { NO_OSCILLATION, type Oscillation, oscillationOf } from "../dynamics/oscillation.ts";
import type { FlowPoint, PhasePoint } from "../dynamics/point.ts";
import {
  ALL_NOISE,
  givenDiagonal,
  type NoiseSource,
  type SubstepNoise,
  substepNoise,
} from "../dynamics/substep-noise.ts";
import type { Stopwatch } from "./curvature.ts";
import { type ProcessEntry, plainEntry } from "./entry.ts";
import { isUsable, type Observation, type ProcessSetup } from "./process.ts";
import { type Quantities, vector } from "./quantity.ts";
import type { CentralSettings } from "./settings.ts";
import { SteppingProcess } from "./stepping.ts";

/** So many directions are held where noise drives them, those of the largest eigenvalues. */
const MOST_NOISY = 10;

/** More critical eigenvalues than this end the flow: a substep would take 500 third derivatives and more. */
const MOST_CRITICAL = 32;

/** What the central flow's first substep of a step found, besides what every process shows. */
export interface CentralObservation extends Observation {
  readonly oscillation: Oscillation;
  /** The number of critical eigenvalues. */
  readonly critical: number;
  /** The substep's complementarity solution and rates; absent when nothing was critical. */
  readonly substep: CentralSubstep | undefined;
  /** What drives the oscillation, for `noisy-central`. */
  readonly noise?: SubstepNoise;
}

/** Where a step leads, and what Σ did in its last substep: leapfrog's middle is found with it. */
interface Pushed extends PhasePoint {
  readonly push: PhasePoint;
}

/**
 * The central flow (docs/derivations.md, section 6): the smooth curve through the middle of the optimizer's
 * oscillation. Its state starts with one plain update; below the edge it is the stable flow.
 *
 * As `ablated` it goes without its curvature penalty on the weights, dw^{ij} = 0 (docs/derivations.md, section 11): Σ
 * still drives ν, so that the effective sharpness stays at the edge; the weights follow −P⁻¹∇L alone, into sharper
 * regions. For scalar RMSProp at the edge that is dw/dt = −(2/S)∇L.
 *
 * As `noisy-central` the noise of mini-batches drives the oscillation, in place of complementarity (docs/derivations.md,
 * section 17): along every tracked direction that changes its sign each step, P⁻¹H > c/2, and in the mean of g⊙g.
 */
export class CentralProcess extends SteppingProcess<Pushed> {
  observation: CentralObservation | undefined;
  private readonly settings: CentralSettings;
  private readonly integrator: Integrator;
  private readonly penalty: boolean;
  private readonly source: NoiseSource | undefined;
  /** What was measured in the first substep of the step being taken. */
  private noise: SubstepNoise | undefined;
  private push: PhasePoint;

  /**
   * @param kind `ablated` leaves the curvature penalty out
   * @param source what drives `noisy-central`
   * @throws InputValueError where eigenvalues are not tracked: without them there is no such flow
   */
  constructor(
    setup: ProcessSetup,
    settings: CentralSettings,
    kind: "central" | "ablated" | "noisy-central" = "central",
    source?: NoiseSource,
  ) {
    requireEigenpairs(`${kind} flow`, setup);
    const integrator = settings.integrator ?? defaultIntegrator(setup.rule);
    // Leapfrog asks for pairs in the middle of every substep, and once where the step is observed.
    const asked = settings.substeps + (integrator === "leapfrog" ? 1 : 0);
    // The flow must hold all that are critical, from the first step on.
    const eigen = { ...setup.eigen, mostGrown: MOST_CRITICAL };
    super({ ...setup, eigen }, kind, settings.frequencyInSubsteps ? 1 : asked);
    this.settings = settings;
    this.integrator = integrator;
    this.penalty = kind !== "ablated";
    this.source = source;
    this.push = noPush(setup.rule);
    this.updateStateOnce();
    if (source && !setup.rule.rateIsLinear) this.addNoiseToState();
  }

  protected evaluate(watch: Stopwatch): Pushed | undefined {
    const { objective, rule } = this.setup;
    const { substeps } = this.settings;
    const start = { weights: this.weights.slice(), state: this.state.slice() };
    watch.time("grad_and_value", () => {
      objective.setWeights(start.weights);
      objective.gradient();
    });
    const observed = this.observe(watch, start);
    if (!observed) return undefined;
    let { push } = this;
    this.noise = undefined;
    for (let i = 0; i < substeps; i++) {
      const point = watch.time("grad_and_value", () => this.pointOf(start, push, i === 0));
      const pairs = i === 0 && this.integrator === "euler" ? observed.pairs : this.pairsOf(watch, point);
      if (!pairs) return undefined;
      const threshold = this.criticalThreshold(point.state);
      const above = leading(pairs.values, (value) => value > threshold);
      const critical = this.source ? Math.min(above, MOST_NOISY) : above;
      const substep = this.substep(watch, start, point, pairs, critical);
      if (i === 0) {
        const oscillation = substep
          ? oscillationOf(
              substep.X,
              substep.vectors,
              rule.dimension,
              this.source && pairs.values.subarray(0, critical),
            )
          : NO_OSCILLATION;
        const noise = this.noise as SubstepNoise | undefined;
        this.observation = { ...observed, oscillation, critical, substep, ...(noise && { noise }) };
      }
      if (this.status.kind !== "running") return undefined;
      push = substep?.push ?? noPush(rule);
    }
    return { ...start, push };
  }

  /** Where the rates of a substep are taken; the objective is left standing there. */
  private pointOf(start: PhasePoint, push: PhasePoint, standing: boolean): FlowPoint {
    const { objective, rule } = this.setup;
    if (!standing && (this.integrator === "euler" || !rule.directionIgnoresGradient))
      objective.setWeights(start.weights);
    if (this.integrator === "euler") return pointAt(objective, rule, start);
    return middleOf(objective, rule, start, 1 / this.settings.substeps, push);
  }

  /** The eigenpairs at a point; undefined, and the status says why, where there is nothing to go on with. */
  private pairsOf(watch: Stopwatch, { state, preconditioner }: FlowPoint): TrackedPairs | undefined {
    const { objective } = this.setup;
    if (!isUsable(this.setup)) return this.fail({ code: "diverged", where: "gradient" });
    if (!this.checked(state, preconditioner)) return undefined;
    const joint: Objective["joint"] = (...block) => watch.time("dH", () => objective.joint(...block));
    const use = { criticalAbove: this.criticalThreshold(state), joint };
    return this.pairsAt(watch, preconditioner, use) || undefined;
  }

  private criticalThreshold(state: Float64Array): number {
    // What noise drives oscillates where a step changes its sign.
    if (this.source) return this.setup.rule.criticalValue(state) / 2;
    return (this.settings.criticalThreshold * this.setup.rule.criticalValue(state)) / 2;
  }

  /**
   * Moves `start` by a substep; returns the complementarity solution if anything was critical. The status says where
   * there are too many critical eigenvalues or there is no solution.
   */
  private substep(
    watch: Stopwatch,
    start: PhasePoint,
    point: FlowPoint,
    pairs: TrackedPairs,
    critical: number,
  ): CentralSubstep | undefined {
    const { objective, rule } = this.setup;
    const { penalty } = this;
    const dt = 1 / this.settings.substeps;
    if (critical > MOST_CRITICAL) return this.fail({ code: "too-many-critical", critical });
    const noise = this.source && this.measureAt(watch, this.source, point, pairs);
    if (critical === 0) {
      const none = { held: 0, third: new Float64Array(0), preconditionerResponse: new Float64Array(0) };
      const diagonal = rule.rateIsLinear ? undefined : noise?.(none).diagonal;
      watch.time("flow", () => stableSubstep(rule, point, dt, start, diagonal));
      return undefined;
    }
    const held = { ...pairs, count: critical };
    const time = <T>(part: string, work: () => T): T => watch.time(part, work);
    const options = { start, time, penalty, ...(noise && { noise }) };
    const substep = watch.time("flow", () => centralSubstep(objective, rule, point, held, dt, options));
    if (substep.status !== "solved" && !(substep.violation <= ACCEPTABLE_VIOLATION))
      this.fail({ code: "complementarity", critical, solver: substep.status });
    return substep;
  }

  /** Measures the noise once a step: in its later substeps the vectors have hardly turned. */
  private measureAt(
    watch: Stopwatch,
    source: NoiseSource,
    { weights, preconditioner }: FlowPoint,
    { values, vectors }: TrackedPairs,
  ): NonNullable<CentralSubstepOptions["noise"]> {
    const { objective, batches } = this.setup;
    const { step } = this;
    return (known) => {
      this.noise ??= watch.time("noise", () =>
        substepNoise(objective, batches, source, {
          weights,
          preconditioner,
          values,
          vectors,
          step,
          ...known,
        }),
      );
      return this.noise;
    };
  }

  /** The first update of the state as the mean over gradients with noise: exact where it is quadratic in the gradient. */
  private addNoiseToState(): void {
    const { objective, batches, state, rule } = this.setup;
    const variance = this.source?.variance ?? 0;
    const diagonal =
      variance !== "measured"
        ? givenDiagonal(variance, rule.dimension)
        : batches && gradientNoise(objective, batches, new Float64Array(0)).diagonal;
    if (!diagonal) return;
    const gradient = objective.gradient();
    const shifted = (sign: number): Float64Array => {
      const next = new Float64Array(state.length);
      rule.update(
        state,
        gradient.map((entry, l) => entry + sign * Math.sqrt(diagonal[l])),
        next,
      );
      return next;
    };
    const [up, down] = [shifted(1), shifted(-1)];
    this.state = up.map((entry, l) => (entry + down[l]) / 2);
  }

  protected override move(next: Pushed): void {
    super.move(next);
    this.push = next.push;
  }

  protected override saved(): Record<string, Float64Array> {
    const saved = super.saved();
    if (this.integrator === "euler") return saved;
    return { ...saved, "push.w": this.push.weights.slice(), "push.state": this.push.state.slice() };
  }

  protected override load(saved: Readonly<Record<string, Float64Array>>): void {
    super.load(saved);
    const [weights, state] = [saved["push.w"], saved["push.state"]];
    this.push =
      weights && state ? { weights: weights.slice(), state: state.slice() } : noPush(this.setup.rule);
  }
}

/** Refuses a flow at the edge where the edge is not watched. */
export function requireEigenpairs(flow: string, { eigen }: ProcessSetup): void {
  if (eigen.frequency <= 0)
    throw valueError(flow, "eigenpairs computed every 1, 2, … steps", `a frequency of ${eigen.frequency}`);
}

/** The complementarity solution of the first substep and the rates that it was found from. */
function substepQuantities({ critical: k, substep }: CentralObservation): Quantities {
  if (!substep) return {};
  const pairs = (k * (k + 1)) / 2;
  const { X, rates, violation } = substep;
  return {
    "flow_aux/X": { shape: [k, k], data: X },
    "flow_aux/dH_dt_stable": vector(rates.dHdtStable),
    "flow_aux/dH_dt_X": { shape: [pairs, pairs], data: rates.dHdtX },
    "flow_aux/dP_dt_stable": vector(rates.dPdtStable),
    "flow_aux/dP_dt_X": { shape: [pairs, pairs], data: rates.dPdtX },
    "flow_aux/violation": violation,
  };
}

export const central = {
  ...plainEntry,
  kind: "central",
  label: "Central flow",
  eigenSettings: "central",
  needsEigenvalues: "always",
  projected: "exact",
  solveLog: "flow_aux/eig_logs/",
  create: (setup, settings) => new CentralProcess(setup, settings.central),
  quantities: substepQuantities,
} as const satisfies ProcessEntry;

export const ablated = {
  ...central,
  kind: "ablated",
  label: "Ablated flow",
  rules: "squares",
  check({ rule, rateIsLinear, preconditionerIsConstant }) {
    if (rateIsLinear || preconditionerIsConstant)
      throw valueError(
        "ablated flow",
        "a rule whose P remembers squares of gradients",
        rule.name,
        "without them nothing would hold the sharpness at the edge",
      );
  },
  create: (setup, settings) => new CentralProcess(setup, settings.central, "ablated"),
} as const satisfies ProcessEntry;

/** The noise and what holds against it: N, Y, and tr C. */
function noisyQuantities(seen: CentralObservation): Quantities {
  const { critical: k, substep, noise } = seen;
  return {
    ...substepQuantities(seen),
    ...(substep?.noise && {
      "flow_aux/N": { shape: [k, k], data: substep.noise.along },
      "flow_aux/Y": { shape: [k, k], data: substep.noise.Y },
    }),
    ...(noise && { "flow_aux/noise_trace": noise.diagonal.reduce((total, entry) => total + entry, 0) }),
  };
}

export const noisyCentral = {
  ...central,
  kind: "noisy-central",
  label: "Central flow with noise",
  rules: "no momentum",
  projected: "none",
  check({ rule, directionIsGradient, rateIsLinear }) {
    if (directionIsGradient && (rateIsLinear || rule.secondMoment)) return;
    throw valueError(
      "noisy-central flow",
      "a rule without momentum whose memory is linear in the gradient or averages its square",
      rule.name,
    );
  },
  create: (setup, settings) =>
    new CentralProcess(setup, settings.central, "noisy-central", settings.noisy ?? ALL_NOISE),
  quantities: noisyQuantities,
} as const satisfies ProcessEntry;
