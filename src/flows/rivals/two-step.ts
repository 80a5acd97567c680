import { sizeOf } from "../../base/index.ts";
import { stableSubstep } from "../dynamics/central-substep.ts";
import { innerProduct } from "../dynamics/effective-hessian.ts";
import type { TrackedPairs } from "../dynamics/eigen-tracker.ts";
import { defaultIntegrator, type Integrator, middleOf, pointAt } from "../dynamics/integrator.ts";
import { type Oscillation, oscillationOf } from "../dynamics/oscillation.ts";
import type { PhasePoint } from "../dynamics/point.ts";
import { requireEigenpairs } from "../processes/central.ts";
import type { Stopwatch } from "../processes/curvature.ts";
import { allPositive, isUsable, type Observation, type ProcessSetup } from "../processes/process.ts";
import { type CentralSettings, PROCESS_DEFAULTS, type TwoStepSettings } from "../processes/settings.ts";
import { SteppingProcess } from "../processes/stepping.ts";
import { compileTangent, type RuleTangent } from "../rules/tangent.ts";

/** What a flow shows that carries its oscillation along. */
export interface TwoStepObservation extends Observation {
  readonly oscillation: Oscillation;
  /** L + ½⟨H, Σ⟩, where the oscillation may be along directions below or beyond the edge. */
  readonly predictedLoss: number;
}

/** One oscillation: of the weights, and of what the rule remembers of gradients, before the step. */
interface Wave {
  readonly weights: Float64Array;
  readonly memory: Float64Array;
}

/** Where a step leads. */
interface Carried extends PhasePoint {
  readonly waves: readonly Wave[];
}

/**
 * The two-step flow (docs/derivations.md, section 18): the slow flow, and beside it the oscillation itself, which takes a
 * step of the optimizer's own map, to first order, wherever the slow flow takes one in time. Nothing holds the sharpness
 * at the edge but that oscillation: it grows beyond the edge, decays below, and pushes by ½∇⟨H, Σ⟩, Σ = δδᵀ, through the
 * rule's filter.
 *
 * δ is kept as weights, and seen on the tracked directions alone. `two-step` carries one δ, as an optimizer has one;
 * `closure` one for each tracked direction, started apart, with Σ = Σ_j δ_jδ_jᵀ: the closure of second moments, where the signs
 * of oscillations in different directions are averaged over.
 */
export class TwoStepProcess extends SteppingProcess<Carried> {
  observation: TwoStepObservation | undefined;
  private readonly substeps: number;
  private readonly seed: number;
  private readonly integrator: Integrator;
  private readonly tangent: RuleTangent;
  private waves: readonly Wave[] = [];

  /** @throws InputValueError where eigenvalues are not tracked */
  constructor(
    setup: ProcessSetup,
    central: Pick<CentralSettings, "substeps" | "integrator">,
    { seed, start }: TwoStepSettings = PROCESS_DEFAULTS.twoStep,
    kind: "two-step" | "closure" = "two-step",
  ) {
    requireEigenpairs(`${kind} flow`, setup);
    super(setup, kind);
    this.substeps = central.substeps;
    this.seed = seed;
    this.integrator = central.integrator ?? defaultIntegrator(setup.rule);
    this.tangent = compileTangent(setup.rule.rule, setup.rule.dimension);
    const split = start === "split" ? this.split() : undefined;
    // The oscillation is in the squares of the first gradient already, and with the memories goes on by itself.
    this.updateStateOnce();
    if (!split) return;
    const all = this.state;
    this.weights = split.slow.weights;
    this.state = split.slow.state;
    this.waves = split.waves;
    this.updateStateOnce();
    this.state = this.state.map((entry, i) => (this.tangent.remembers[i] ? entry : all[i]));
  }

  /**
   * The start as a slow point and an oscillation: along a tracked direction the displacement from the bottom of the valley,
   * uᵀg/λ, and what the rule remembers there, are the oscillation's (exact for a quadratic). Undefined where the numbers are nothing to
   * go on with, which the first step will say.
   */
  private split(): { slow: PhasePoint; waves: Wave[] } | undefined {
    const { objective, rule } = this.setup;
    const p = rule.dimension;
    objective.setWeights(this.weights);
    if (!isUsable(this.setup)) return undefined;
    const P = new Float64Array(p);
    rule.preconditioner(this.updatedState(), P);
    if (!allPositive(P)) return undefined;
    const gradient = objective.gradient().slice();
    const pairs = this.curvature.pairs(P);
    if (!pairs) return undefined;
    const slow = { weights: this.weights.slice(), state: this.state.slice() };
    // Along flatter ones the bottom is far away, and the way there no oscillation.
    const least = pairs.values[0] / 10;
    const parts = Array.from({ length: pairs.count }, (_, i) => {
      const u = pairs.vectors.subarray(i * p, (i + 1) * p);
      if (!(pairs.values[i] > least))
        return { weights: new Float64Array(p), memory: new Float64Array(rule.stateSize) };
      const amplitude = innerProduct(u, 0, gradient, 0, p) / pairs.values[i];
      const weights = u.map((entry) => amplitude * entry);
      const memory = this.remembered(u, P);
      for (let l = 0; l < p; l++) slow.weights[l] -= weights[l];
      for (let l = 0; l < memory.length; l++) slow.state[l] -= memory[l];
      return { weights, memory };
    });
    if (this.kind === "closure") return { slow, waves: parts };
    const sum = (name: "weights" | "memory", length: number): Float64Array =>
      Float64Array.from({ length }, (_, l) => parts.reduce((total, part) => total + part[name][l], 0));
    return { slow, waves: [{ weights: sum("weights", p), memory: sum("memory", rule.stateSize) }] };
  }

  /** The part along Pu, uᵀPu = 1, of what the state remembers of gradients: memories are as gradients are, Pu(uᵀm). */
  private remembered(u: Float64Array, P: Float64Array): Float64Array {
    const { rule } = this.setup;
    const p = rule.dimension;
    const { remembers } = this.tangent;
    const out = new Float64Array(rule.stateSize);
    let offset = 0;
    for (const shape of Object.values(rule.rule.state(p))) {
      const length = sizeOf(shape);
      if (length === p && remembers[offset]) {
        const along = innerProduct(u, 0, this.state.subarray(offset, offset + p), 0, p);
        for (let l = 0; l < p; l++) out[offset + l] = along * P[l] * u[l];
      }
      offset += length;
    }
    return out;
  }

  protected evaluate(watch: Stopwatch): Carried | undefined {
    const { objective, rule } = this.setup;
    const start = { weights: this.weights.slice(), state: this.state.slice() };
    watch.time("grad_and_value", () => {
      objective.setWeights(start.weights);
      objective.gradient();
    });
    const observed = this.observe(watch, start);
    if (!observed?.pairs) return undefined;
    const { pairs, preconditioner } = observed;
    const p = rule.dimension;
    const seen = this.wavesOn(pairs, preconditioner);
    const force = new Float64Array(p);
    const average = observed.gradient.slice();
    const products = seen.map(({ weights }) => {
      const [product, third] = [new Float64Array(p), new Float64Array(p)];
      watch.time("dH", () => objective.joint(weights, 1, product, third));
      for (let l = 0; l < p; l++) force[l] += 0.5 * third[l];
      return product;
    });
    for (let l = 0; l < p; l++) average[l] += force[l];
    this.observation = {
      ...observed,
      oscillation: this.oscillationAt(seen, pairs, preconditioner),
      predictedLoss: seen.reduce(
        (total, { weights }, j) => total + 0.5 * innerProduct(weights, 0, products[j], 0, p),
        observed.loss,
      ),
    };
    const waves = seen.map((wave, j) =>
      this.stepped(wave, products[j], start.state, average, preconditioner),
    );
    const curvature = rule.rateIsLinear
      ? new Float64Array(rule.stateSize)
      : watch.time("dH", () => this.stateCurvature(waves, start.state, average));
    if (!watch.time("flow", () => this.slow(start, force, curvature))) return undefined;
    return { ...start, waves };
  }

  /**
   * The waves seen on the tracked directions; along a direction without one (the square of all amplitudes below that of the
   * seed) a new one starts: in the only wave, or in its own.
   */
  private wavesOn({ count, vectors }: TrackedPairs, P: Float64Array): Wave[] {
    const p = P.length;
    const { stateSize } = this.setup.rule;
    const wanted = this.kind === "closure" ? Math.max(count, this.waves.length) : 1;
    const amplitudes = Array.from({ length: wanted }, (_, j) => {
      const scaled = this.waves[j]?.weights.map((entry, l) => entry * P[l]);
      return Float64Array.from({ length: count }, (_, i) =>
        scaled ? innerProduct(vectors, i, scaled, 0, p) : 0,
      );
    });
    for (let i = 0; i < count; i++) {
      const square = amplitudes.reduce((total, a) => total + a[i] * a[i], 0);
      const own = amplitudes[this.kind === "closure" ? i : 0];
      if (square < this.seed * this.seed) own[i] = own[i] < 0 ? -this.seed : this.seed;
    }
    return amplitudes.map((a, j) => {
      const weights = new Float64Array(p);
      a.forEach((amplitude, i) => {
        for (let l = 0; l < p; l++) weights[l] += amplitude * vectors[i * p + l];
      });
      return { weights, memory: this.waves[j]?.memory ?? new Float64Array(stateSize) };
    });
  }

  /** One step of the rule's own map, to first order: δs⁺ from Hδ, δ⁺ = δ − P⁻¹δq − rδ. */
  private stepped(
    { weights, memory }: Wave,
    product: Float64Array,
    state: Float64Array,
    gradient: Float64Array,
    P: Float64Array,
  ): Wave {
    const next = new Float64Array(state.length);
    const moved = new Float64Array(weights.length);
    this.tangent.update(state, gradient, memory, product, next);
    this.tangent.direction(state, gradient, next, product, moved);
    const kept = 1 - this.setup.rule.decay(state);
    for (let l = 0; l < moved.length; l++) moved[l] = kept * weights[l] - moved[l] / P[l];
    return { weights: moved, memory: next };
  }

  /**
   * What Σ adds to ds/dt until the next row: ½∂²f/∂g²[Hδ, Hδ] of the oscillation *there*, with the Hessian of here. A state holds what
   * its own step has seen: the ν that divides a step has that step's squared gradient in it already.
   */
  private stateCurvature(waves: readonly Wave[], state: Float64Array, gradient: Float64Array): Float64Array {
    const { objective, rule } = this.setup;
    const total = new Float64Array(rule.stateSize);
    const change = new Float64Array(rule.stateSize);
    const product = new Float64Array(rule.dimension);
    for (const { weights } of waves) {
      objective.hvp(weights, product, 1);
      rule.rateCurvature(state, gradient, product, product.slice(), change);
      for (let i = 0; i < change.length; i++) total[i] += change[i];
    }
    return total;
  }

  /** Σ on the tracked directions: of a single wave its one direction. */
  private oscillationAt(
    waves: readonly Wave[],
    { count, vectors }: TrackedPairs,
    P: Float64Array,
  ): Oscillation {
    const p = P.length;
    const X = new Float64Array(count * count);
    for (const { weights } of waves) {
      const scaled = weights.map((entry, l) => entry * P[l]);
      const a = Float64Array.from({ length: count }, (_, i) => innerProduct(vectors, i, scaled, 0, p));
      for (let i = 0; i < count; i++) for (let j = 0; j < count; j++) X[i * count + j] += a[i] * a[j];
    }
    const { variances, directions } = oscillationOf(X, vectors.subarray(0, count * p), p);
    const rank = Math.min(count, waves.length);
    return { variances: variances.slice(0, rank), directions: directions.slice(0, rank * p) };
  }

  /** Moves `start` through a step of the slow flow with the averaged gradient ∇L + force; false, and the status says why, where P fails. */
  private slow(start: PhasePoint, force: Float64Array, curvature: Float64Array): boolean {
    const { objective, rule } = this.setup;
    const dt = 1 / this.substeps;
    const push = { weights: new Float64Array(rule.dimension), state: curvature };
    for (let i = 0; i < this.substeps; i++) {
      if (i > 0 && (this.integrator === "euler" || !rule.directionIgnoresGradient))
        objective.setWeights(start.weights);
      const point =
        this.integrator === "leapfrog"
          ? middleOf(objective, rule, start, dt, push, force)
          : pointAt(objective, rule, start, force);
      if (!allPositive(point.preconditioner)) {
        this.fail({ code: "preconditioner" });
        return false;
      }
      stableSubstep(rule, point, dt, start);
      for (let l = 0; l < curvature.length; l++) start.state[l] += dt * curvature[l];
    }
    return true;
  }

  protected override move(next: Carried): void {
    super.move(next);
    this.waves = next.waves;
  }

  protected override saved(): Record<string, Float64Array> {
    const saved = super.saved();
    this.waves.forEach(({ weights, memory }, j) => {
      saved[`wave.${j}.w`] = weights.slice();
      saved[`wave.${j}.memory`] = memory.slice();
    });
    return saved;
  }

  protected override load(saved: Readonly<Record<string, Float64Array>>): void {
    super.load(saved);
    const waves: Wave[] = [];
    for (let j = 0; saved[`wave.${j}.w`]; j++)
      waves.push({ weights: saved[`wave.${j}.w`].slice(), memory: saved[`wave.${j}.memory`].slice() });
    this.waves = waves;
  }
}
