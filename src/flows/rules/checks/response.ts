import { compile, jvp, type Shape, sizeOf, type Tensor } from "../../../autodiff/index.ts";
import { cos, EPS, pow, sin } from "../../../base/index.ts";
import { applyQTransposed, qr, solveUpper } from "../../../linalg/index.ts";
import type { State, UpdateRule } from "../update-rule.ts";

/**
 * A rule's update and direction to first order, around one state s and gradient g, for p weights:
 * δs⁺ = A δs + B δg and δq = C δs + D δg with q = q(s⁺, g). Matrices by columns.
 */
export interface LinearRule {
  readonly p: number;
  readonly stateSize: number;
  readonly A: Float64Array;
  readonly B: Float64Array;
  readonly C: Float64Array;
  readonly D: Float64Array;
}

/** A rule to first order around a state and a gradient. */
export type Linearizer = (state: Float64Array, gradient: Float64Array) => LinearRule;

/** Linearises a rule, by the engine's derivatives, wherever the returned function is asked to. */
export function linearizer(rule: UpdateRule, p: number): Linearizer {
  const shapes = rule.state(p);
  const sizes = Object.values(shapes).map(sizeOf);
  const stateSize = sizes.reduce((total, size) => total + size, 0);
  type Point = { readonly state: State; readonly gradient: Tensor };
  const step = ({ state, gradient }: Point) => {
    const next = rule.update(state, gradient);
    return {
      next: Object.fromEntries(Object.keys(shapes).map((name) => [name, next[name]])),
      direction: rule.direction?.(next, gradient) ?? gradient,
    };
  };
  const shape: { state: Readonly<Record<string, Shape>>; gradient: Shape } = { state: shapes, gradient: [p] };
  const along = compile((at: Point, tangent: Point) => jvp(step)(at, tangent)[1], [shape, shape]);
  const tangents = new Float64Array(stateSize + p);
  const change = new Float64Array(stateSize + p);
  const parts = (flat: Float64Array): Float64Array[] => {
    let offset = 0;
    return [...sizes, p].map((size) => {
      offset += size;
      return flat.subarray(offset - size, offset);
    });
  };
  return (state, gradient) => {
    const at = new Float64Array(stateSize + p);
    at.set(state);
    at.set(gradient, stateSize);
    const columns = (from: number, count: number) => {
      const next = new Float64Array(stateSize * count);
      const direction = new Float64Array(p * count);
      for (let j = 0; j < count; j++) {
        tangents.fill(0);
        tangents[from + j] = 1;
        along.run([...parts(at), ...parts(tangents)], parts(change));
        next.set(change.subarray(0, stateSize), j * stateSize);
        direction.set(change.subarray(stateSize), j * p);
      }
      return [next, direction] as const;
    };
    const [A, C] = columns(0, stateSize);
    const [B, D] = columns(stateSize, p);
    return { p, stateSize, A, B, C, D };
  };
}

/** A complex number. */
export type Complex = readonly [re: number, im: number];

/**
 * What one weight's gradient does to one weight's direction: a filter with n numbers of memory,
 * x⁺ = A x + b g, q = c·x + d g.
 */
export interface Filter {
  readonly size: number;
  readonly A: Float64Array;
  readonly b: Float64Array;
  readonly c: Float64Array;
  readonly d: number;
}

/** The filter from gradient entry `input` to direction entry `output`. */
export function filterOf({ p, stateSize: n, A, B, C, D }: LinearRule, input: number, output: number): Filter {
  const c = Float64Array.from({ length: n }, (_, j) => C[j * p + output]);
  return withoutIdle({ size: n, A, b: B.subarray(input * n, (input + 1) * n), c, d: D[input * p + output] });
}

/** The filter from gradients along v to entry i of the state as it was before the step. */
export function memoryOf({ p, stateSize: n, A, B }: LinearRule, v: Float64Array, i: number): Filter {
  const b = new Float64Array(n);
  for (let j = 0; j < p; j++) for (let k = 0; k < n; k++) b[k] += B[j * n + k] * v[j];
  const c = new Float64Array(n);
  c[i] = 1;
  return withoutIdle({ size: n, A, b, c, d: 0 });
}

/** The same filter with only the memory that lies on a way from its input to its output. */
function withoutIdle({ size: n, A, b, c, d }: Filter): Filter {
  const reached = closure(
    n,
    (i) => b[i] !== 0,
    (from, to) => A[from * n + to] !== 0,
  );
  const read = closure(
    n,
    (i) => c[i] !== 0,
    (from, to) => A[to * n + from] !== 0,
  );
  const kept = Array.from({ length: n }, (_, i) => i).filter((i) => reached[i] && read[i]);
  return {
    size: kept.length,
    A: Float64Array.from(kept.flatMap((j) => kept.map((i) => A[j * n + i]))),
    b: Float64Array.from(kept, (i) => b[i]),
    c: Float64Array.from(kept, (i) => c[i]),
    d,
  };
}

/** All that can be come to from the first ones. */
export function closure(
  n: number,
  first: (i: number) => boolean,
  leads: (from: number, to: number) => boolean,
): boolean[] {
  const found = Array.from({ length: n }, (_, i) => first(i));
  const open = found.flatMap((yes, i) => (yes ? [i] : []));
  for (let from = open.pop(); from !== undefined; from = open.pop())
    for (let to = 0; to < n; to++)
      if (!found[to] && leads(from, to)) {
        found[to] = true;
        open.push(to);
      }
  return found;
}

/**
 * G(z) = c·(z − A)⁻¹b + d, the filter's answer q = G(z) g to a gradient that is multiplied by z in every step: G(1) for
 * a steady one, G(−1) for one that changes sign. NaN where z is an eigenvalue of A.
 */
export function transfer({ size: n, A, b, c, d }: Filter, [re, im]: Complex): Complex {
  if (n === 0) return [d, 0];
  // (z − A)(x + iy) = b in real numbers: [re − A, −im; im, re − A][x; y] = [b; 0].
  const m = 2 * n;
  const columns = new Float64Array(m * m);
  for (let j = 0; j < n; j++) {
    for (let i = 0; i < n; i++) {
      const entry = (i === j ? re : 0) - A[j * n + i];
      columns[j * m + i] = entry;
      columns[(j + n) * m + i + n] = entry;
    }
    columns[j * m + j + n] = im;
    columns[(j + n) * m + j] = -im;
  }
  const factors = qr(columns, m, m);
  if (factors.rank < m) return [Number.NaN, Number.NaN];
  const x = new Float64Array(m);
  x.set(b);
  applyQTransposed(factors, x);
  solveUpper(factors, m, x);
  let real = d;
  let imaginary = 0;
  for (let i = 0; i < n; i++) {
    real += c[i] * x[i];
    imaginary += c[i] * x[i + n];
  }
  return [real, imaginary];
}

/** 2⁴⁰ steps: what has not faded by then never does. */
const DOUBLINGS = 40;

/** Whether what the filter remembers fades: whether every eigenvalue of A lies inside the unit circle. */
export function memoryFades({ size: n, A }: Filter): boolean {
  let power = A;
  let largest = 0;
  for (let doubling = 0; doubling < DOUBLINGS; doubling++) {
    largest = power.reduce((most, entry) => Math.max(most, Math.abs(entry)), 0);
    if (!(largest > 1e-20 && largest < 1e20)) break;
    power = product(power, power, n);
  }
  return largest <= 1e-20;
}

function product(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let j = 0; j < n; j++)
    for (let k = 0; k < n; k++) for (let i = 0; i < n; i++) out[j * n + i] += a[k * n + i] * b[j * n + k];
  return out;
}

/** Where a rule turns unstable on a quadratic ½hw² with the state at rest. */
export interface EdgeOnQuadratics {
  /** The smallest h/P that is unstable; infinite if none is. */
  readonly value: number;
  /** The steps in which the oscillation that then grows comes back to itself; 2 at an edge that a central flow knows. */
  readonly period: number;
}

/** Angles that are looked at, half of them crowded near 0, where long memories act. */
const ANGLES = 1000;

/**
 * The edge of w⁺ = w − P⁻¹q, q a filter of g = hw. A factor z per step solves z − 1 + κG(z) = 0 with κ = h/P. With a
 * memory that fades and G(1) > 0 all such z lie inside the unit circle for small κ > 0, and leave it first at the
 * smallest κ > 0 for which some z = e^{iθ} is a solution: κ(θ) = (1 − e^{iθ})/G(e^{iθ}) real and positive. At θ = π that
 * is 2/G(−1), which must equal 2(1 + β)/(1 − β) for heavy ball and 2 where q = g. Cost: 1000 solves with 2n unknowns.
 */
export function edgeOnQuadratics(filter: Filter): EdgeOnQuadratics {
  const at = (theta: number): Complex => {
    const [gr, gi] = transfer(filter, [cos(theta), sin(theta)]);
    // 1 − e^{iθ} = 2 sin(θ/2)·(sin(θ/2) − i cos(θ/2)), without cancellation.
    const s = sin(theta / 2);
    const [re, im] = [2 * s * s, -2 * s * cos(theta / 2)];
    const size = gr * gr + gi * gi;
    return [(re * gr + im * gi) / size, (im * gr - re * gi) / size];
  };
  const alternating = 2 / transfer(filter, [-1, 0])[0];
  let best: EdgeOnQuadratics = {
    value: alternating > 0 ? alternating : Number.POSITIVE_INFINITY,
    period: 2,
  };
  const half = ANGLES / 2;
  const angles = Array.from({ length: ANGLES - 1 }, (_, i) =>
    i < half ? 1e-8 * pow(1e8 * (Math.PI / 2), i / half) : (Math.PI / 2) * (1 + (i - half) / half),
  );
  for (let i = 1; i < angles.length; i++) {
    const theta = realBetween(at, angles[i - 1], angles[i]);
    if (theta === undefined) continue;
    const [value] = at(theta);
    if (value > 0 && value < best.value * (1 - 1e-9)) best = { value, period: (2 * Math.PI) / theta };
  }
  return best;
}

/** The angle between two where κ turns real, by bisection; undefined where it does not. */
function realBetween(at: (theta: number) => Complex, from: number, to: number): number | undefined {
  let [low, high] = [from, to];
  const below = Math.sign(at(low)[1]);
  if (below === 0 || Math.sign(at(high)[1]) !== -below) return undefined;
  while (high - low > 4 * EPS * high) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (Math.sign(at(middle)[1]) === below) low = middle;
    else high = middle;
  }
  const [re, im] = at(low);
  // Where κ passes through infinity its sign changes as well.
  return Math.abs(im) < 1e-6 * Math.abs(re) ? low : undefined;
}
