import { sizeOf } from "../../autodiff/index.ts";
import { valueError } from "../../base/index.ts";
import { allFinite, type MajorantStart, type MajorantViolations } from "../../linalg/index.ts";
import { ACCEPTABLE_VIOLATION } from "../dynamics/central-substep.ts";
import type { TrackedPairs } from "../dynamics/eigen-tracker.ts";
import type { Oscillation } from "../dynamics/oscillation.ts";
import type { PhasePoint } from "../dynamics/point.ts";
import {
  curvatureForce,
  diagonalStationaryPoint,
  scalarStationaryOscillation,
  scalarStationaryPreconditioner,
} from "../dynamics/stationary-point.ts";
import type { CompiledRule } from "../rules/compile.ts";
import { requireEigenpairs } from "./central.ts";
import type { Stopwatch } from "./curvature.ts";
import { type ProcessEntry, plainEntry } from "./entry.ts";
import { isUsable, type Observation, type ProcessSetup } from "./process.ts";
import { count, type Quantities } from "./quantity.ts";
import type { CentralSettings } from "./settings.ts";
import { SteppingProcess } from "./stepping.ts";

/**
 * Of the central flow's: Euler substeps; and for the scalar rule the eigenvalues that share the oscillation, those
 * above the threshold in the unit where the largest is 2, and whether their frequency counts substeps.
 */
export type StationarySettings = Pick<
  CentralSettings,
  "substeps" | "criticalThreshold" | "frequencyInSubsteps"
>;

/** What the stationary flow's first substep of a step found, besides what every process shows. */
export interface StationaryObservation extends Observation {
  /** Σ at rest. */
  readonly oscillation: Oscillation;
  /** The largest violation of the conditions that P̄ and Σ were found from, relative. */
  readonly violation: number;
  /** Hessian-vector products spent on P̄; 0 for the scalar rule, which takes the tracked eigenvalues. */
  readonly applications: number;
}

/** P̄ and Σ at some weights, and the force ½∇⟨Σ, H⟩. */
interface Rest extends Pick<StationaryObservation, "oscillation" | "violation" | "applications"> {
  /** √ν̄/η. */
  readonly atRest: Float64Array;
  /** P̄ with ε/η, by which the weights move. */
  readonly preconditioner: Float64Array;
  readonly force: Float64Array;
  /** For the scalar rule, which needs them. */
  readonly pairs?: TrackedPairs;
}

/**
 * The stationary flow of the RMSProp rules (docs/derivations.md, section 10): dw/dt = −P̄⁻¹[∇L + ½∇⟨Σ, H⟩] with ν at rest for the
 * current weights at every moment. It has no ν of its own: the state it shows holds t and ν̄ = (ηP̄)².
 *
 * Bias correction is left out, as ν at rest has no beginning (ν̄ stands for the corrected average); ε is left out of the
 * problem for P̄ and added where the weights move, P = (√ν̄ + ε)/η, so that a weight without gradient stays.
 *
 * Euler's method is safe although below the edge the flow is sign descent, P̄ = |g|/η: where a coordinate's gradient
 * tends to 0, H ⪯ cP̄ bounds P̄ from below by H_ll/c before the sign flips, and with c = 2 a substep moves the coordinate
 * by at most 2dt times the way to its minimum.
 */
export class StationaryProcess extends SteppingProcess {
  observation: StationaryObservation | undefined;
  private readonly settings: StationarySettings;
  private readonly elementwise: boolean;
  private start: MajorantStart | undefined;
  private readonly nuAt: number;

  /** @throws InputValueError for a rule without a second moment at rest, and where eigenvalues are not tracked */
  constructor(setup: ProcessSetup, settings: StationarySettings) {
    const { rule } = setup;
    checkSecondMoment(rule);
    requireEigenpairs("stationary flow", setup);
    const elementwise = rule.rule.secondMoment === "elementwise";
    super(setup, "stationary", elementwise || settings.frequencyInSubsteps ? 1 : settings.substeps);
    this.settings = settings;
    this.elementwise = elementwise;
    this.nuAt = 0;
    for (const [name, shape] of Object.entries(rule.rule.state(rule.dimension))) {
      if (name === "nu") break;
      this.nuAt += sizeOf(shape);
    }
    this.updateStateOnce();
  }

  protected evaluate(watch: Stopwatch): PhasePoint | undefined {
    const { objective } = this.setup;
    const weights = this.weights.slice();
    const state = this.state.slice();
    let first: StationaryObservation | undefined;
    for (let i = 0; i < this.settings.substeps && this.status.kind === "running"; i++) {
      watch.time("grad_and_value", () => {
        objective.setWeights(weights);
        objective.gradient();
      });
      const rest = watch.time("flow", () => this.rest(weights, state));
      if (!rest) break;
      const { preconditioner, oscillation, violation, applications } = rest;
      this.putNu(state, rest.atRest);
      if (i === 0) {
        const pairs = rest.pairs ?? this.pairsAt(watch, preconditioner);
        if (pairs === false) break;
        const observed = this.observeWith(watch, { weights, state }, preconditioner, pairs);
        first = { ...observed, oscillation, violation, applications };
      }
      this.substep({ weights, state }, rest);
    }
    if (first) this.observation = first;
    return { weights, state };
  }

  /** Moves a point by a substep; only the time moves by itself in the state. */
  private substep({ weights, state }: PhasePoint, { preconditioner, force }: Rest): void {
    const gradient = this.setup.objective.gradient();
    const dt = 1 / this.settings.substeps;
    const rate = new Float64Array(state.length);
    this.setup.rule.rate(state, gradient, rate);
    for (let l = 0; l < weights.length; l++)
      weights[l] -= (dt * (gradient[l] + force[l])) / preconditioner[l];
    for (let l = 0; l < this.nuAt; l++) state[l] += dt * rate[l];
  }

  /** P̄ and Σ at the objective's weights; undefined, and the status says why, where there are none. */
  private rest(weights: Float64Array, state: Float64Array): Rest | undefined {
    if (!isUsable(this.setup)) return this.fail({ code: "diverged", where: "gradient" });
    if (!allFinite(state)) return this.fail({ code: "diverged", where: "state" });
    const rest = this.elementwise ? this.elementwiseRest(state) : this.scalarRest(weights, state);
    if (!(rest.violation <= ACCEPTABLE_VIOLATION)) {
      const solver = Number.isFinite(rest.violation) ? "inaccurate" : "not-finite";
      return this.fail({ code: "stationary-preconditioner", solver });
    }
    return this.checked(state, rest.preconditioner) && rest;
  }

  private elementwiseRest(state: Float64Array): Rest {
    const { objective, rule } = this.setup;
    const { preconditioner, oscillation, majorant } = diagonalStationaryPoint(
      objective,
      objective.gradient(),
      rule.learningRate(state),
      rule.criticalValue(state),
      this.start && { initial: this.start },
    );
    this.start = majorant.value;
    const epsilon = this.epsilon(state);
    return {
      atRest: preconditioner,
      preconditioner: preconditioner.map((entry, l) => entry + epsilon[l]),
      oscillation,
      force: curvatureForce(objective, oscillation),
      violation: Math.max(...Object.values(majorant.stats.violations satisfies MajorantViolations)),
      applications: majorant.stats.applications,
    };
  }

  private scalarRest(weights: Float64Array, state: Float64Array): Rest {
    const { objective, rule } = this.setup;
    const p = rule.dimension;
    const c = rule.criticalValue(state);
    const gradient = objective.gradient();
    const lr = rule.learningRate(state);
    const guess = new Float64Array(p);
    rule.preconditioner(state, guess);
    const unit = guess[0] > 0 ? guess[0] : 1;
    const raw = this.curvature.pairs(guess.fill(unit)) as TrackedPairs;
    const atRest = scalarStationaryPreconditioner(gradient, raw.values[0] * unit, lr, c);
    const P = atRest + this.epsilon(state)[0];
    const pairs = {
      ...raw,
      values: raw.values.map((value) => (value * unit) / P),
      vectors: raw.vectors.map((entry) => entry * Math.sqrt(unit / P)),
    };
    const squared = gradient.reduce((total, entry) => total + entry * entry, 0);
    const trace = Math.max(0, (lr / c) ** 2 - squared / (c * atRest) ** 2);
    const bound = (this.settings.criticalThreshold / 2) * raw.values[0];
    // Rounding leaves a trace of some ε·η² below the edge.
    const below = raw.values.findIndex((value) => !(value > bound));
    const k = trace > 1e-14 * lr ** 2 ? (below < 0 ? raw.count : below) : 0;
    const critical = {
      values: raw.values.slice(0, k).map((value) => value * unit),
      vectors: raw.vectors.slice(0, k * p).map((entry) => entry * Math.sqrt(unit)),
    };
    const decay = rule.decay(state);
    const { oscillation, force, violation } = scalarStationaryOscillation(
      objective,
      weights.map((weight, l) => -gradient[l] / P - decay * weight),
      critical,
      trace,
      P,
      1 / this.settings.substeps,
    );
    return {
      atRest: new Float64Array(p).fill(atRest),
      preconditioner: new Float64Array(p).fill(P),
      oscillation,
      force,
      violation,
      applications: 0,
      pairs,
    };
  }

  /** ε/η(t): P where ν is 0. */
  private epsilon(state: Float64Array): Float64Array {
    const { rule } = this.setup;
    const out = new Float64Array(rule.dimension);
    rule.preconditioner(
      state.map((entry, at) => (at < this.nuAt ? entry : 0)),
      out,
    );
    return out;
  }

  /** ν̄ = (ηP̄)² into the state. */
  private putNu(state: Float64Array, atRest: Float64Array): void {
    const lr = this.setup.rule.learningRate(state);
    for (let at = this.nuAt; at < state.length; at++) state[at] = (lr * atRest[at - this.nuAt]) ** 2;
  }

  protected override saved(): Record<string, Float64Array> {
    const saved = super.saved();
    const { start } = this;
    if (!start) return saved;
    return { ...saved, "majorant.columns": start.columns.slice(), "majorant.watched": start.watched.slice() };
  }

  protected override load(saved: Readonly<Record<string, Float64Array>>): void {
    super.load(saved);
    const columns = saved["majorant.columns"];
    const watched = saved["majorant.watched"];
    this.start =
      columns && watched
        ? {
            columns: columns.slice(),
            watched: watched.slice(),
            rank: columns.length / watched.length,
          }
        : undefined;
  }
}

/** ν at rest is known where P is the root of an averaged squared gradient. */
function checkSecondMoment({ rule }: CompiledRule): void {
  if (rule.secondMoment === undefined)
    throw valueError(
      "stationary flow",
      "a rule whose preconditioner is the root of an averaged squared gradient (scalar-rmsprop, rmsprop)",
      rule.name,
    );
}

function stationaryQuantities({ violation, applications }: StationaryObservation): Quantities {
  return { "flow_aux/violation": violation, "flow_aux/matvec_count": count(applications) };
}

export const stationary = {
  ...plainEntry,
  kind: "stationary",
  label: "Stationary flow",
  eigenSettings: "central",
  needsEigenvalues: "always",
  rules: "second moment",
  check: checkSecondMoment,
  create: (setup, settings) => new StationaryProcess(setup, settings.central),
  quantities: stationaryQuantities,
} as const satisfies ProcessEntry;
