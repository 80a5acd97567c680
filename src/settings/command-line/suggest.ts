/**
 * The least number of insertions, deletions, substitutions and swaps of neighbours that make `b` from `a`
 * (optimal string alignment). O(|a|·|b|).
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = last[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, substituted);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length];
}

const MOST_SUGGESTIONS = 3;

/**
 * The candidates that someone who typed `word` may have meant, nearest first, at most three. A candidate counts
 * if a third of the word or less differs (two letters in a short word), or if its last part after a dot is the
 * word's: lr means opt.lr.
 */
export function nearest(word: string, candidates: Iterable<string>): string[] {
  const typed = word.toLowerCase();
  const lastOf = (name: string): string => name.slice(name.lastIndexOf(".") + 1);
  const limit = Math.max(Math.min(2, typed.length - 1), Math.floor(typed.length / 3));
  const scored = [...new Set(candidates)].map((name) => {
    const lower = name.toLowerCase();
    const distance = editDistance(typed, lower);
    return { name, score: lastOf(typed) === lastOf(lower) ? Math.min(distance, 1) : distance };
  });
  const close = scored.filter(({ score }) => score <= limit).sort((a, b) => a.score - b.score);
  const best = close.filter(({ score }) => score <= close[0].score + 1);
  return best.slice(0, MOST_SUGGESTIONS).map(({ name }) => name);
}

/** "did you mean a or b?", or undefined where nothing is near. */
export const didYouMean = (names: readonly string[]): string | undefined =>
  names.length > 0 ? `did you mean ${names.join(" or ")}?` : undefined;
