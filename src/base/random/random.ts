import { log } from "../elementary/logarithm.ts";
import { valueError } from "../errors.ts";

/**
 * Seeded random numbers: xoshiro128** (Blackman and Vigna, "Scrambled linear pseudorandom number
 * generators", 2021), its state filled from the seed by splitmix32. Same seed, same numbers, on every machine.
 */
export class Random {
  private readonly state = new Uint32Array(4);

  /** @param seed an integer of at most 53 bits; @param stream a label that separates independent uses of one seed */
  constructor(seed: number, stream = "") {
    if (!Number.isSafeInteger(seed)) throw valueError("Random", "a seed that is an integer", String(seed));
    let z = (seed >>> 0) ^ Math.imul(Math.floor(seed / 2 ** 32) | 0, 0x9e3779b9);
    for (let i = 0; i < stream.length; i++) z = Math.imul(z ^ stream.charCodeAt(i), 0x01000193) >>> 0;
    for (let i = 0; i < 4; i++) {
      z = (z + 0x9e3779b9) >>> 0;
      let s = z;
      s = Math.imul(s ^ (s >>> 16), 0x21f0aaad);
      s = Math.imul(s ^ (s >>> 15), 0x735a2d97);
      this.state[i] = s ^ (s >>> 15);
    }
    if (this.state.every((s) => s === 0)) this.state[0] = 1;
  }

  /** Next 32 uniform random bits, as an unsigned integer. */
  bits32(): number {
    const s = this.state;
    const scrambled = Math.imul(s[1], 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = (s[3] << 11) | (s[3] >>> 21);
    return result;
  }

  /** Uniform on [0, 1), all 53 bits random. */
  uniform(): number {
    const high = this.bits32() >>> 5;
    const low = this.bits32() >>> 6;
    return (high * 67108864 + low) * 2 ** -53;
  }

  /** Uniform integer in 0, …, bound − 1. */
  integer(bound: number): number {
    if (!Number.isSafeInteger(bound) || bound < 1)
      throw valueError("Random.integer", "a bound ≥ 1", String(bound));
    return Math.floor(this.uniform() * bound);
  }

  /** Standard normal, by Marsaglia's polar method (no state is kept between calls). */
  normal(): number {
    for (;;) {
      const x = 2 * this.uniform() - 1;
      const y = 2 * this.uniform() - 1;
      const r = x * x + y * y;
      if (r > 0 && r < 1) return x * Math.sqrt((-2 * log(r)) / r);
    }
  }

  /** Overwrites `out` with independent standard normals and returns it. */
  fillNormal(out: Float64Array): Float64Array {
    for (let i = 0; i < out.length; i++) out[i] = this.normal();
    return out;
  }

  /** A uniformly random order of 0, …, n − 1 (Fisher and Yates). */
  permutation(n: number): number[] {
    const order = Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }
}
