/*
 * The edge of stability of a population in which some agents see only values of the loss.
 *
 * n agents stand at the mean x of all, and take a step each from there before they average again; n₀ of them estimate the
 * gradient g = Hx of a quadratic loss from r directions u ~ N(0, I), as the mean of (uᵀg)u, which is what
 * (F(x + νu) − F(x))u/ν is but for the term (ν/2)(uᵀHu)u that does not depend on x; the others know g. Directions are
 * independent over agents and steps. From E (uᵀg)²uuᵀ = 2ggᵀ + ‖g‖²I the covariance of the mean of all steps' gradients is
 * κ(ggᵀ + ‖g‖²I) with κ = n₀/(n²r), so that the second moment S = E xxᵀ follows
 *
 *     S⁺ = S − η(HS + SH) + η²[(1 + κ)HSH + κ tr(HSH)I].
 *
 * A matrix that grows by a factor ρ of it, diagonal where H is, has s_i(ρ − 1 + 2ηλ_i − η²(1 + κ)λ_i²) = η²κ Σ_j λ_j²s_j;
 * at ρ = 1 this is possible for Σ_i κηλ_i/(2 − ηλ_i(1 + κ)) = 1. The map keeps positive semidefinite matrices so, hence its
 * spectral radius is an eigenvalue with such a matrix, and the smallest root is where the mean square stops to fall.
 */

/** κ of a population. @param agents n, @param blind n₀ of them, @param directions r of each of those */
export function spread(agents: number, blind: number, directions: number): number {
  return blind / (agents * agents * directions);
}

/**
 * The smallest root η of Σ_i κηλ_i/(2 − ηλ_i(1 + κ)) = 1, by bisection between 0 and 2/(λ_max(1 + κ)), where the sum grows
 * from 0 without bound; 2/λ_max for κ = 0.
 *
 * @param eigenvalues λ of H, not negative, one of them positive
 */
export function criticalRate(eigenvalues: readonly number[], kappa: number): number {
  const bound = 2 / (Math.max(...eigenvalues) * (1 + kappa));
  if (kappa === 0) return bound;
  return bisected(0, bound, (rate) => {
    let sum = 0;
    for (const value of eigenvalues) sum += (kappa * rate * value) / (2 - rate * value * (1 + kappa));
    return sum < 1;
  });
}

/** Where a condition that holds at `low` and not at `high` ends, to the last bit. */
export function bisected(low: number, high: number, holds: (at: number) => boolean): number {
  for (;;) {
    const middle = low + (high - low) / 2;
    if (!(middle > low && middle < high)) return low;
    if (holds(middle)) low = middle;
    else high = middle;
  }
}

/** The map S ↦ S⁺ as a d²×d² matrix on the elements of S. @param hessian d×d, symmetric, read */
export function secondMomentMap(hessian: Float64Array, d: number, rate: number, kappa: number): Float64Array {
  const map = new Float64Array((d * d) ** 2);
  const basis = new Float64Array(d * d);
  for (let at = 0; at < d * d; at++) {
    basis.fill(0);
    basis[at] = 1;
    const left = product(hessian, basis, d);
    const right = product(basis, hessian, d);
    const both = product(left, hessian, d);
    let trace = 0;
    for (let i = 0; i < d; i++) trace += both[i * (d + 1)];
    for (let to = 0; to < d * d; to++) {
      const onDiagonal = to % (d + 1) === 0 ? trace : 0;
      map[to * d * d + at] =
        basis[to] -
        rate * (left[to] + right[to]) +
        rate * rate * ((1 + kappa) * both[to] + kappa * onDiagonal);
    }
  }
  return map;
}

function product(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const c = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let k = 0; k < n; k++) {
      const factor = a[i * n + k];
      for (let j = 0; j < n; j++) c[i * n + j] += factor * b[k * n + j];
    }
  return c;
}

/** Squarings of a matrix in which its powers' norm comes to the spectral radius: 2⁴⁸ steps of it. */
const SQUARINGS = 48;

/**
 * Whether the powers of a matrix fall: its spectral radius is below 1. By Gelfand's formula, ‖Mᵏ‖ < 1 at k = 2⁴⁸ by
 * repeated squaring; radii within about 1e-13 of 1 are not told apart.
 */
export function powersFall(matrix: Float64Array, n: number): boolean {
  let power = matrix;
  // log2 of what the power has been divided by
  let exponent = 0;
  for (let squaring = 0; squaring < SQUARINGS; squaring++) {
    power = product(power, power, n);
    exponent *= 2;
    let largest = 0;
    for (const entry of power) largest = Math.max(largest, Math.abs(entry));
    if (largest === 0) return true;
    while (largest >= 2) {
      largest /= 2;
      exponent += 1;
      for (let at = 0; at < power.length; at++) power[at] /= 2;
    }
    while (largest < 1) {
      largest *= 2;
      exponent -= 1;
      for (let at = 0; at < power.length; at++) power[at] *= 2;
    }
  }
  return exponent < 0;
}

/** The rate at which the full map's powers cease to fall, by bisection up to twice 2/λ_max; no formula enters. */
export function bisectedRate(hessian: Float64Array, d: number, largest: number, kappa: number): number {
  return bisected(0, 4 / largest, (rate) =>
    rate === 0 ? true : powersFall(secondMomentMap(hessian, d, rate, kappa), d * d),
  );
}
