/** Fractional parts of the square and cube roots of the first primes, 32 bits each (FIPS 180-4, sections 4.2.2 and 5.3.3). */
const [START, ROUND] = constants();

function constants(): readonly [Uint32Array, Uint32Array] {
  const start = new Uint32Array(8);
  const round = new Uint32Array(64);
  const bits = (root: bigint): number => Number(root & 0xffffffffn);
  for (let n = 2n, found = 0; found < 64; n++) {
    let prime = true;
    for (let d = 2n; d * d <= n; d++) if (n % d === 0n) prime = false;
    if (!prime) continue;
    if (found < 8) start[found] = bits(integerRoot(n << 64n, 2));
    round[found++] = bits(integerRoot(n << 96n, 3));
  }
  return [start, round];
}

/** ⌊x^(1/degree)⌋. */
function integerRoot(x: bigint, degree: 2 | 3): bigint {
  let low = 0n;
  let high = 1n << 50n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** BigInt(degree) <= x) low = middle;
    else high = middle;
  }
  return low;
}

const turned = (x: number, by: number): number => (x >>> by) | (x << (32 - by));

/** SHA-256 of some bytes (FIPS 180-4), 32 bytes: for pages, where hashing at once is not to be had otherwise. */
export function sha256(message: Uint8Array): Uint8Array {
  const padded = new Uint8Array(((message.length + 8) & ~63) + 64);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(message.length / 2 ** 29));
  view.setUint32(padded.length - 4, (message.length << 3) >>> 0);
  const hash = START.slice();
  const words = new Uint32Array(64);
  for (let at = 0; at < padded.length; at += 64) {
    for (let i = 0; i < 16; i++) words[i] = view.getUint32(at + 4 * i);
    for (let i = 16; i < 64; i++) {
      const a = words[i - 15];
      const b = words[i - 2];
      const s0 = turned(a, 7) ^ turned(a, 18) ^ (a >>> 3);
      const s1 = turned(b, 17) ^ turned(b, 19) ^ (b >>> 10);
      words[i] = (words[i - 16] + s0 + words[i - 7] + s1) | 0;
    }
    compress(hash, words);
  }
  const out = new Uint8Array(32);
  const written = new DataView(out.buffer);
  hash.forEach((word, i) => {
    written.setUint32(4 * i, word);
  });
  return out;
}

function compress(hash: Uint32Array, words: Uint32Array): void {
  let [a, b, c, d, e, f, g, h] = hash;
  for (let i = 0; i < 64; i++) {
    const s1 = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25);
    const first = (h + s1 + ((e & f) ^ (~e & g)) + ROUND[i] + words[i]) | 0;
    const s0 = turned(a, 2) ^ turned(a, 13) ^ turned(a, 22);
    const second = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => {
    hash[i] += word;
  });
}

/** Bytes as hexadecimal digits. */
export const hexadecimal = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
