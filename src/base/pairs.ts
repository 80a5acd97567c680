/** The position of pair (i, j), i ≤ j, in the order of an upper triangle by rows: (0,0), (0,1), …, (0,count−1), (1,1), …. */
export function pairIndex(i: number, j: number, count: number): number {
  return i * count - (i * (i - 1)) / 2 + (j - i);
}
