import { applyQTransposed, qr, solveUpper } from "../../../linalg/index.ts";
import type { Filter } from "./response.ts";

/** How a filter answers gradients that change sign, or stay, and grow slowly: what decides whether an edge is settled at. */
export interface SlowResponse {
  /** c = 2/G(−1). */
  readonly edge: number;
  /** Γ₁ and Γ₂ of Γ(s) = (1 + eˢ)/(c·G(−eˢ)) = 1 + Γ₁s + Γ₂s² + …: an amplitude grows as eˢᵗ at λ = c·Γ(s). */
  readonly alternating: readonly [number, number];
  /** γ of G(eˢ) = 1 + γs + …, as G(1) = 1: the delay of a slow gradient, in steps, less its sign. */
  readonly steady: number;
}

/** c, Γ₁, Γ₂ and γ of a filter (docs/derivations.md, section 16). Cost: five solves with n unknowns. */
export function slowResponse(filter: Filter): SlowResponse {
  const [value, slope, bend] = taylor(filter, -1);
  const edge = 2 / value;
  // M(u) = c·G(−u) at u = eˢ = 1: M = 2, its derivatives by u:
  const [M1, M2] = [-edge * slope, edge * bend];
  const byU = [0.5 * (1 - M1), -0.5 * M2 - 0.5 * M1 * (1 - M1)];
  const [, steady] = taylor(filter, 1);
  return { edge, alternating: [byU[0], 0.5 * (byU[0] + byU[1])], steady };
}

/**
 * ζ_c of the minimal example ½(y + ζx)x² + ε(−x − y) for small ε: the rule settles at its edge for ζ > ζ_c, and runs
 * through a limit cycle around it for ζ < ζ_c. ζ_c² = (c/9)(Γ₂/Γ₁ + ½ − γ), and 0 where that is negative
 * (docs/derivations.md, section 16).
 */
export function thresholdOf({ edge, alternating: [first, second], steady }: SlowResponse): number {
  return Math.sqrt(Math.max(0, (edge / 9) * (second / first + 0.5 - steady)));
}

/** G, G′ and G″ at a real z: G⁽ᵏ⁾ = (−1)ᵏk!·c·(z − A)⁻⁽ᵏ⁺¹⁾b. NaN where z is an eigenvalue of A. */
function taylor({ size: n, A, b, c, d }: Filter, z: number): [number, number, number] {
  if (n === 0) return [d, 0, 0];
  const shifted = Float64Array.from(A, (entry, at) => (Math.floor(at / n) === at % n ? z : 0) - entry);
  const factors = qr(shifted, n, n);
  const x = b.slice();
  const terms = [1, -1, 2].map((weight) => {
    if (factors.rank < n) return Number.NaN;
    applyQTransposed(factors, x);
    solveUpper(factors, n, x);
    return weight * x.reduce((total, entry, i) => total + c[i] * entry, 0);
  });
  return [d + terms[0], terms[1], terms[2]];
}
