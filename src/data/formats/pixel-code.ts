/**
 * Small grey images with labels, packed by a range coder (Martin 1979, in the form without carries) that expects of each
 * pixel what its neighbours, its place and the label make likely: on the digits a quarter smaller than deflate. Only
 * sums, products and quotients decide, so every engine unpacks the same.
 */

const SIDE = 8;
const PIXELS = SIDE * SIDE;
/** Levels 0 to 16, and classes 0 to 9. */
const LEVELS = 17;
const CLASSES = 10;

const TOP = 2 ** 24;
const BOTTOM = 2 ** 16;
/** Of so many parts each level has its share, and one more. */
const PARTS = 8192;

/** Levels by kind of stroke: none, thin, …, full. */
const six = (level: number): number =>
  level === 0 ? 0 : level < 4 ? 1 : level < 9 ? 2 : level < 14 ? 3 : level < 16 ? 4 : 5;
const four = (level: number): number => (level === 0 ? 0 : level < 8 ? 1 : level < 16 ? 2 : 3);

/** How many situations each view tells apart, and how much it counts. */
const SITUATIONS = [PIXELS * CLASSES, LEVELS * LEVELS, PIXELS * 36, PIXELS * 1296, PIXELS * CLASSES * 16];
const WEIGHTS = [4, 4, 8, 12, 12];

/** What has been seen so far, and what it makes likely of the next pixel. */
class Expectation {
  private readonly counts = SITUATIONS.map((size) => new Uint16Array(size * (LEVELS + 1)));
  private readonly places = new Int32Array(SITUATIONS.length);
  private readonly likely = new Float64Array(LEVELS);
  /** The share of each level. */
  readonly shares = new Uint32Array(LEVELS);
  total = 0;

  /** Looks at the neighbours of pixel `p` of an image, as far as it is known. */
  at(image: Uint8Array, p: number, label: number): void {
    const { counts, places, likely, shares } = this;
    const row = p >> 3;
    const column = p % SIDE;
    const left = column > 0 ? image[p - 1] : 0;
    const up = row > 0 ? image[p - SIDE] : 0;
    const right = row > 0 && column < SIDE - 1 ? image[p - SIDE + 1] : 0;
    const corner = row > 0 && column > 0 ? image[p - SIDE - 1] : 0;
    const pair = (p * 6 + six(left)) * 6 + six(up);
    places[0] = p * CLASSES + label;
    places[1] = left * LEVELS + up;
    places[2] = pair;
    places[3] = (pair * 6 + six(right)) * 6 + six(corner);
    places[4] = ((p * CLASSES + label) * 4 + four(left)) * 4 + four(up);
    likely.fill(0.02);
    let sum = 0.02 * LEVELS;
    for (let view = 0; view < places.length; view++) {
      const start = places[view] * (LEVELS + 1);
      const seen = counts[view][start + LEVELS];
      if (seen === 0) continue;
      const weight = (WEIGHTS[view] * Math.min(1, (seen + 1) / 8)) / (seen + 1);
      for (let level = 0; level < LEVELS; level++) likely[level] += weight * counts[view][start + level];
      sum += weight * seen;
    }
    this.total = 0;
    for (let level = 0; level < LEVELS; level++) {
      shares[level] = 1 + Math.floor((PARTS * likely[level]) / sum);
      this.total += shares[level];
    }
  }

  /** Remembers the level that the pixel has. */
  learn(level: number): void {
    for (let view = 0; view < this.places.length; view++) {
      const start = this.places[view] * (LEVELS + 1);
      this.counts[view][start + level]++;
      this.counts[view][start + LEVELS]++;
    }
  }
}

/** What both directions share: an interval of 32 bits. */
class Interval {
  low = 0;
  range = 2 ** 32 - 1;

  /** Narrows to a share; calls back for every byte that is settled. */
  narrow(before: number, share: number, settled: (byte: number) => void): void {
    this.low = (this.low + before * this.range) >>> 0;
    this.range *= share;
    for (;;) {
      const apart = (this.low ^ (this.low + this.range)) >>> 0 >= TOP;
      if (apart && this.range >= BOTTOM) return;
      if (apart) this.range = -this.low & (BOTTOM - 1);
      settled(this.low >>> 24);
      this.low = (this.low << 8) >>> 0;
      this.range = (this.range * 256) % 2 ** 32;
    }
  }
}

/** Packs labels, and then images of 64 pixels one after the other. */
export function packImages(labels: Uint8Array, pixels: Uint8Array): Uint8Array {
  const out: number[] = [];
  const interval = new Interval();
  const put = (before: number, share: number, total: number): void => {
    interval.range = Math.floor(interval.range / total);
    interval.narrow(before, share, (byte) => out.push(byte));
  };
  for (const label of labels) put(label, 1, CLASSES);
  const expectation = new Expectation();
  for (let i = 0; i < labels.length; i++) {
    const image = pixels.subarray(PIXELS * i, PIXELS * (i + 1));
    for (let p = 0; p < PIXELS; p++) {
      expectation.at(image, p, labels[i]);
      let before = 0;
      for (let each = 0; each < image[p]; each++) before += expectation.shares[each];
      put(before, expectation.shares[image[p]], expectation.total);
      expectation.learn(image[p]);
    }
  }
  for (let i = 0; i < 4; i++) out.push((interval.low >>> (24 - 8 * i)) & 255);
  return Uint8Array.from(out);
}

/** Unpacks what `packImages` has packed, images as they are asked for: those before one must be unpacked for it. */
export class PackedImages {
  readonly labels: Uint8Array;
  private readonly bytes: Uint8Array;
  private readonly pixels: Uint8Array;
  private readonly interval = new Interval();
  private readonly expectation = new Expectation();
  private readonly level = (each: number): number => this.expectation.shares[each];
  private unpacked = 0;
  private at = 4;
  private code: number;

  /** @param count of images */
  constructor(bytes: Uint8Array, count: number) {
    this.bytes = bytes;
    this.code = ((bytes[0] << 24) | (bytes[1] << 16) | (bytes[2] << 8) | bytes[3]) >>> 0;
    this.pixels = new Uint8Array(PIXELS * count);
    this.labels = Uint8Array.from({ length: count }, () => this.next(CLASSES, () => 1));
  }

  /** The pixels of image `i`, row by row: a view. */
  image(i: number): Uint8Array {
    const { expectation, pixels, labels } = this;
    for (; this.unpacked <= i; this.unpacked++) {
      const image = pixels.subarray(PIXELS * this.unpacked, PIXELS * (this.unpacked + 1));
      for (let p = 0; p < PIXELS; p++) {
        expectation.at(image, p, labels[this.unpacked]);
        image[p] = this.next(expectation.total, this.level);
        expectation.learn(image[p]);
      }
    }
    return pixels.subarray(PIXELS * i, PIXELS * (i + 1));
  }

  private readonly shift = (): void => {
    this.code = ((this.code << 8) | (this.bytes[this.at++] ?? 0)) >>> 0;
  };

  private next(total: number, share: (symbol: number) => number): number {
    const { interval } = this;
    interval.range = Math.floor(interval.range / total);
    const place = Math.min(total - 1, Math.floor(((this.code - interval.low) >>> 0) / interval.range));
    let symbol = 0;
    let before = 0;
    while (before + share(symbol) <= place) before += share(symbol++);
    interval.narrow(before, share(symbol), this.shift);
    return symbol;
  }
}
