import { maxAbs, powerOfTwoNear } from "../../dense/vectors.ts";
import type { QpData } from "./data.ts";

/** The scaled problem and the way back. */
export interface ScaledQp {
  readonly data: QpData;
  /** x of the given problem from that of the scaled one */
  readonly point: (x: Float64Array) => Float64Array;
  /** multipliers likewise; a Farkas ray (`ray`) has no natural length, so its scale is left alone */
  readonly multipliers: (u: Float64Array, ray: boolean) => Float64Array;
}

/** Rounds of equilibration: each takes the square root of the spread, so ten reduce 10¹⁶ to 1.04. */
const ROUNDS = 10;

/**
 * Ruiz's simultaneous scaling (RAL-TR-2001-034) of the symmetric matrix [Q Rᵀ; R 0] to rows of largest entry
 * about 1, by powers of two, which round nothing: Q' = γDQD, R' = SRD, c' = (γ/τ)Dc, bounds' = S·bounds/τ
 * and x = τDx', u = (τ/γ)Su'. γ makes Q' (or else c') about 1, τ the larger of bounds' and c'.
 */
export function equilibrate(given: QpData): ScaledQp {
  const { n } = given;
  const count = given.bounds.length;
  const d = new Float64Array(n).fill(1);
  const s = new Float64Array(count).fill(1);
  for (let round = 0; round < ROUNDS; round++) {
    const column = new Float64Array(n);
    const row = new Float64Array(count);
    for (let j = 0; j < n; j++) {
      for (let i = 0; i < n; i++) column[j] = Math.max(column[j], Math.abs(given.Q[i * n + j]) * d[i] * d[j]);
      for (let i = 0; i < count; i++) {
        const entry = Math.abs(given.rows[i * n + j]) * s[i] * d[j];
        column[j] = Math.max(column[j], entry);
        row[i] = Math.max(row[i], entry);
      }
    }
    for (let j = 0; j < n; j++) if (column[j] > 0) d[j] /= powerOfTwoNear(Math.sqrt(column[j]));
    for (let i = 0; i < count; i++) if (row[i] > 0) s[i] /= powerOfTwoNear(Math.sqrt(row[i]));
  }
  const Q = given.Q.map((entry, at) => entry * d[Math.floor(at / n)] * d[at % n]);
  const rows = given.rows.map((entry, at) => entry * s[Math.floor(at / n)] * d[at % n]);
  const c = given.c.map((entry, j) => entry * d[j]);
  const bounds = given.bounds.map((entry, i) => entry * s[i]);
  const unit = (size: number) => (size > 0 ? powerOfTwoNear(size) : 1);
  const curved = maxAbs(Q) > 0;
  const tau = curved ? unit(Math.max(maxAbs(bounds), maxAbs(c) / unit(maxAbs(Q)))) : unit(maxAbs(bounds));
  const gamma = curved ? 1 / unit(maxAbs(Q)) : tau / unit(maxAbs(c));
  return {
    data: {
      ...given,
      Q: Q.map((entry) => entry * gamma),
      c: c.map((entry) => (entry * gamma) / tau),
      rows,
      bounds: bounds.map((entry) => entry / tau),
    },
    point: (x) => x.map((entry, j) => entry * d[j] * tau),
    multipliers: (u, ray) => u.map((entry, i) => entry * s[i] * (ray ? 1 : tau / gamma)),
  };
}
