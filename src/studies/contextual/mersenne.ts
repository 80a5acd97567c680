import { log } from "../../base/index.ts";

const LENGTH = 624;
const SHIFT = 397;

/**
 * The random numbers of NumPy's `RandomState`, with which the authors of arXiv 2011.03030 made their data: the Mersenne
 * twister of 1998 (Matsumoto and Nishimura), doubles of 53 bits, normals in pairs by the polar method. Same seed, same
 * numbers as NumPy's to the last bits of its logarithm.
 */
export class NumpyRandom {
  private readonly state = new Uint32Array(LENGTH);
  private at = LENGTH;
  private spare: number | undefined;

  /** @param seed an integer from 0 to 2³² − 1 */
  constructor(seed: number) {
    this.state[0] = seed;
    for (let i = 1; i < LENGTH; i++) {
      const last = this.state[i - 1];
      this.state[i] = Math.imul(1812433253, last ^ (last >>> 30)) + i;
    }
  }

  private bits32(): number {
    if (this.at === LENGTH) this.twist();
    let y = this.state[this.at++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  private twist(): void {
    const s = this.state;
    for (let i = 0; i < LENGTH; i++) {
      const y = (s[i] & 0x80000000) | (s[(i + 1) % LENGTH] & 0x7fffffff);
      s[i] = s[(i + SHIFT) % LENGTH] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.at = 0;
  }

  /** Uniform on [0, 1), as `rand`. */
  uniform(): number {
    const high = this.bits32() >>> 5;
    const low = this.bits32() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  /** Standard normal, as `normal`: of each pair the second one comes first. */
  normal(): number {
    if (this.spare !== undefined) {
      const kept = this.spare;
      this.spare = undefined;
      return kept;
    }
    for (;;) {
      const x = 2 * this.uniform() - 1;
      const y = 2 * this.uniform() - 1;
      const r = x * x + y * y;
      if (r >= 1 || r === 0) continue;
      const factor = Math.sqrt((-2 * log(r)) / r);
      this.spare = factor * x;
      return factor * y;
    }
  }
}
