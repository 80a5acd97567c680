import { exp, sizeOf } from "../../base/index.ts";
import { symmetricEigen } from "../../linalg/index.ts";
import { innerProduct } from "../dynamics/effective-hessian.ts";
import type { Oscillation } from "../dynamics/oscillation.ts";
import type { PhasePoint } from "../dynamics/point.ts";
import type { Stopwatch } from "../processes/curvature.ts";
import { allPositive, isUsable, type Observation, type ProcessSetup } from "../processes/process.ts";
import { type CentralSettings, PROCESS_DEFAULTS, type RodSettings } from "../processes/settings.ts";
import { SteppingProcess } from "../processes/stepping.ts";
import { compileTangent, type RuleTangent } from "../rules/tangent.ts";

/** What a flow with an extent shows: also the mean of the loss over it. */
export interface ExtentObservation extends Observation {
  readonly oscillation: Oscillation;
  readonly predictedLoss: number;
}

/** A vector in the space of the map: of weights, and of what the rule remembers of gradients (0 in other entries). */
type Column = PhasePoint;

/** Where a step leads. */
interface Extended extends PhasePoint {
  readonly columns: readonly Column[];
}

/** A gradient somewhere, the state updated with it, and what the map adds there once P is known. */
interface Evaluation {
  readonly at: PhasePoint;
  readonly gradient: Float64Array;
  readonly loss: number;
  readonly updated: Float64Array;
  readonly moved: Column;
}

/**
 * The rod flow, reconstructed (docs/derivations.md, section 19; arXiv 2602.01480 for gd, 2605.06821 for others; their
 * full texts were not at hand): a centre z̄ and Σ, the second moment of half of the way between two iterates, kept as
 * Σ = VVᵀ with few columns. z = (w, m) with m what the rule remembers of gradients; the rest of its state is smooth and takes the
 * mean over the extent.
 *
 * As `rod`, δ is the top eigenpair of Σ: dz̄/dt = ½(F₊ + F₋) − ⅛(J₊ + J₋)(F₊ + F₋), dΣ/dt = ¼(F₊F₊ᵀ + F₋F₋ᵀ) − 2Σ with F the
 * optimizer's step and J its derivative at z̄ ± δ. As `rod-each` every eigenpair of Σ counts: with e_i the even and
 * o_i the odd part of F about z̄ along δ_i, dz̄/dt = F + Σe_i, dΣ/dt = ½(FFᵀ + Σo_io_iᵀ) − 2Σ.
 *
 * Ours: the metric in which Σ has eigenpairs (P for weights, P⁻¹ for memories, to which the weights' step is alike), the exponential
 * step for −2Σ, and that the centre starts at w where the other flows do, though ½(w + w₊) is half a step ahead.
 */
export class RodProcess extends SteppingProcess<Extended> {
  observation: ExtentObservation | undefined;
  private readonly substeps: number;
  private readonly rank: number;
  private readonly tangent: RuleTangent;
  /** The weight that an entry of the state belongs to. */
  private readonly owner: Int32Array;
  private columns: readonly Column[] | undefined;

  constructor(
    setup: ProcessSetup,
    central: Pick<CentralSettings, "substeps">,
    { rank }: RodSettings = PROCESS_DEFAULTS.rod,
    kind: "rod" | "rod-each" = "rod",
  ) {
    super(setup, kind);
    this.substeps = central.substeps;
    this.rank = rank;
    const { rule } = setup.rule;
    const p = setup.rule.dimension;
    this.tangent = compileTangent(rule, p);
    this.owner = Int32Array.from(
      Object.values(rule.state(p)).flatMap((shape) => Array.from({ length: sizeOf(shape) }, (_, i) => i % p)),
    );
  }

  protected evaluate(watch: Stopwatch): Extended | undefined {
    const { objective } = this.setup;
    let here = { weights: this.weights, state: this.state };
    let columns = this.columns;
    for (let i = 0; i < this.substeps; i++) {
      const next = watch.time("flow", () => this.substep(here, columns));
      if (!next) return undefined;
      if (i === 0) {
        watch.time("grad_and_value", () => objective.setWeights(here.weights));
        const observed = this.observe(watch, { weights: here.weights, state: next.mean });
        if (!observed) return undefined;
        const oscillation = oscillationOfColumns(next.from, observed.preconditioner);
        this.observation = { ...observed, oscillation, predictedLoss: next.loss };
      }
      here = { weights: next.weights, state: next.state };
      columns = next.columns;
    }
    return { ...here, columns: columns ?? [] };
  }

  /** One substep from a centre and its extent (undefined: at the start); undefined, and the status says why, where it cannot go on. */
  private substep(
    here: PhasePoint,
    given: readonly Column[] | undefined,
  ): (Extended & { from: readonly Column[]; mean: Float64Array; loss: number }) | undefined {
    const columns = given ?? this.start(here);
    if (!columns) return undefined;
    const dt = 1 / this.substeps;
    const used = this.kind === "rod" ? columns.slice(0, 1) : columns;
    const points = used.flatMap((column) => [plus(here, column, 1), plus(here, column, -1)]);
    if (this.kind === "rod-each" || points.length === 0) points.push(here);
    const evaluated = this.evaluations(points);
    if (!evaluated) return undefined;
    const { evaluations, mean, loss, P } = evaluated;
    const { weights, state } = this.centreRate(evaluations, P);
    const kept = exp(-dt);
    // −2Σ exactly, its driving terms held.
    const weight = (1 - kept * kept) / 2;
    const driving =
      this.kind === "rod"
        ? evaluations.map(({ moved }) =>
            scaled(moved, Math.sqrt((evaluations.length === 1 ? 0.5 : 0.25) * weight)),
          )
        : [
            scaled(evaluations[evaluations.length - 1].moved, Math.sqrt(0.5 * weight)),
            ...used.map((_, i) =>
              scaled(
                difference(evaluations[2 * i].moved, evaluations[2 * i + 1].moved),
                0.5 * Math.sqrt(0.5 * weight),
              ),
            ),
          ];
    const { remembers } = this.tangent;
    return {
      from: columns,
      mean,
      loss,
      weights: here.weights.map((entry, l) => entry + dt * weights[l]),
      state: here.state.map((entry, i) => entry + dt * (remembers[i] ? state[i] : mean[i] - entry)),
      columns: this.compressed([...columns.map((column) => scaled(column, kept)), ...driving], P),
    };
  }

  /** Σ = ¼FFᵀ: between two iterates there is half a step on either side. */
  private start(here: PhasePoint): Column[] | undefined {
    const evaluated = this.evaluations([here]);
    return evaluated && [scaled(evaluated.evaluations[0].moved, 0.5)];
  }

  /** dz̄/dt, the weights' part and that of the entries that remember. */
  private centreRate(evaluations: readonly Evaluation[], P: Float64Array): Column {
    if (this.kind === "rod-each") {
      const centre = evaluations[evaluations.length - 1].moved;
      let total = centre;
      for (let i = 0; i + 1 < evaluations.length; i += 2) {
        const even = plus(scaled(evaluations[i].moved, 0.5), evaluations[i + 1].moved, 0.5);
        total = plus(total, difference(even, centre), 1);
      }
      return total;
    }
    const [first, last] = [evaluations[0], evaluations[evaluations.length - 1]];
    const both = plus(first.moved, last.moved, 1);
    const turned = plus(this.derivative(last, both, P), this.derivative(first, both, P), 1);
    return plus(scaled(both, 0.5), turned, -0.125);
  }

  /** J·v at an evaluated point: the derivative of the optimizer's step, P held. */
  private derivative({ at, gradient, updated }: Evaluation, v: Column, P: Float64Array): Column {
    const { objective, rule } = this.setup;
    const p = rule.dimension;
    objective.setWeights(at.weights);
    const product = new Float64Array(p);
    objective.hvp(v.weights, product, 1);
    const memory = new Float64Array(rule.stateSize);
    const weights = new Float64Array(p);
    this.tangent.update(at.state, gradient, v.state, product, memory);
    this.tangent.direction(updated, gradient, memory, product, weights);
    const decay = rule.decay(updated);
    for (let l = 0; l < p; l++) weights[l] = -weights[l] / P[l] - decay * v.weights[l];
    return { weights, state: memory.map((entry, i) => entry - v.state[i]) };
  }

  /**
   * F at some points, whose smooth states are one: each updates it with its own gradient, and the mean over them (over the
   * pairs about the last one, where there is one) gives P and is the smooth state that all go on with.
   */
  private evaluations(
    points: readonly PhasePoint[],
  ): { evaluations: Evaluation[]; mean: Float64Array; loss: number; P: Float64Array } | undefined {
    const { objective, rule } = this.setup;
    const { remembers } = this.tangent;
    const raw = [];
    for (const at of points) {
      objective.setWeights(at.weights);
      if (!isUsable(this.setup)) return this.fail({ code: "diverged", where: "gradient" });
      const gradient = objective.gradient().slice();
      const updated = new Float64Array(at.state.length);
      rule.update(at.state, gradient, updated);
      raw.push({ at, gradient, loss: objective.loss(), updated });
    }
    // Of 2k + 1 points, pairs and the centre: centre + Σ(½(₊ + ₋) − centre). Of a pair alone: ½(₊ + ₋).
    const centred = raw.length % 2 === 1;
    const pairs = (raw.length - (centred ? 1 : 0)) / 2;
    const ofPairs = centred ? 0.5 : 1 / raw.length;
    const ofCentre = centred ? 1 - pairs : 0;
    const mean = new Float64Array(rule.stateSize);
    let loss = 0;
    raw.forEach((each, i) => {
      const weight = i < 2 * pairs ? ofPairs : ofCentre;
      for (let l = 0; l < mean.length; l++) mean[l] += weight * each.updated[l];
      loss += weight * each.loss;
    });
    const P = new Float64Array(rule.dimension);
    rule.preconditioner(mean, P);
    if (!allPositive(P)) return this.fail({ code: "preconditioner" });
    const decay = rule.decay(mean);
    const evaluations = raw.map((each) => {
      const updated = each.updated.map((entry, i) => (remembers[i] ? entry : mean[i]));
      const weights = new Float64Array(rule.dimension);
      rule.direction(updated, each.gradient, weights);
      for (let l = 0; l < weights.length; l++) weights[l] = -weights[l] / P[l] - decay * each.at.weights[l];
      const state = updated.map((entry, i) => (remembers[i] ? entry - each.at.state[i] : 0));
      return { ...each, updated, moved: { weights, state } };
    });
    return { evaluations, mean, loss, P };
  }

  /** The same Σ, but for its smallest eigenvalues, with orthogonal columns, the longest first. */
  private compressed(columns: readonly Column[], P: Float64Array): Column[] {
    const metric = (x: Column, y: Column): number => {
      let total = 0;
      for (let l = 0; l < P.length; l++) total += x.weights[l] * P[l] * y.weights[l];
      for (let i = 0; i < x.state.length; i++)
        if (this.tangent.remembers[i]) total += (x.state[i] * y.state[i]) / P[this.owner[i]];
      return total;
    };
    return rotated(columns, metric).slice(0, this.rank);
  }

  protected override move(next: Extended): void {
    super.move(next);
    this.columns = next.columns;
  }

  protected override saved(): Record<string, Float64Array> {
    const saved = super.saved();
    this.columns?.forEach(({ weights, state }, j) => {
      saved[`rod.${j}.w`] = weights.slice();
      saved[`rod.${j}.memory`] = state.slice();
    });
    return saved;
  }

  protected override load(saved: Readonly<Record<string, Float64Array>>): void {
    super.load(saved);
    const columns: Column[] = [];
    for (let j = 0; saved[`rod.${j}.w`]; j++)
      columns.push({ weights: saved[`rod.${j}.w`].slice(), state: saved[`rod.${j}.memory`].slice() });
    this.columns = columns.length > 0 ? columns : undefined;
  }
}

/** x + factor·y. */
function plus(x: Column, y: Column, factor: number): Column {
  return {
    weights: x.weights.map((entry, l) => entry + factor * y.weights[l]),
    state: x.state.map((entry, i) => entry + factor * y.state[i]),
  };
}

const difference = (x: Column, y: Column): Column => plus(x, y, -1);

const scaled = ({ weights, state }: Column, factor: number): Column => ({
  weights: weights.map((entry) => factor * entry),
  state: state.map((entry) => factor * entry),
});

/** Columns of the same VVᵀ that are orthogonal under an inner product, the longest first. */
function rotated(columns: readonly Column[], inner: (x: Column, y: Column) => number): Column[] {
  const n = columns.length;
  const gram = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = i; j < n; j++) {
      gram[i * n + j] = inner(columns[i], columns[j]);
      gram[j * n + i] = gram[i * n + j];
    }
  const { values, vectors } = symmetricEigen(gram, n);
  const order = Array.from(values, (_, i) => i).sort((a, b) => values[b] - values[a]);
  return order.map((at) => {
    let total = scaled(columns[0], vectors[at * n]);
    for (let i = 1; i < n; i++) total = plus(total, columns[i], vectors[at * n + i]);
    return total;
  });
}

/** Σ of the weights alone, in the form that flows log: eigenpairs in the metric of P. */
export function oscillationOfColumns(columns: readonly Column[], P: Float64Array): Oscillation {
  const p = P.length;
  const inner = (x: Column, y: Column): number => {
    const other = y.weights.map((entry, l) => entry * P[l]);
    return innerProduct(x.weights, 0, other, 0, p);
  };
  const axes = rotated(columns, inner)
    .map((axis) => ({ axis, variance: inner(axis, axis) }))
    .filter(({ variance }) => variance > 0);
  const directions = new Float64Array(axes.length * p);
  axes.forEach(({ axis, variance }, i) => {
    for (let l = 0; l < p; l++) directions[i * p + l] = axis.weights[l] / Math.sqrt(variance);
  });
  return { variances: Float64Array.from(axes, ({ variance }) => variance), directions };
}
