import { valueError } from "../../base/index.ts";

/** Indices of the examples of one split, grouped class by class. */
export interface Selection {
  /** The first `perClass` examples of class 0, then of class 1, and so on. */
  readonly chosen: number[];
  /** The remaining examples of those classes, grouped alike. */
  readonly rest: number[];
}

/**
 * Chooses training examples as the reference code does: the first ⌊n/classes⌋ of each of the classes
 * 0, …, classes − 1 in the order of the file, fewer where a class has fewer.
 *
 * @param labels class indices; examples of other classes are left out altogether
 * @param n at least `classes`
 * @throws InputValueError when n is more than there are examples, or there is none of a class
 */
export function firstOfEachClass(
  operation: string,
  labels: ArrayLike<number>,
  classes: number,
  n: number,
): Selection {
  const members = groupByClass(labels, classes);
  const available = members.reduce((sum, group) => sum + group.length, 0);
  if (n > available)
    throw valueError(operation, `n ≤ ${available}, the examples of ${classes} classes`, String(n));
  const empty = members.findIndex((group) => group.length === 0);
  if (empty >= 0)
    throw valueError(operation, `examples of the classes 0 to ${classes - 1}`, `none of class ${empty}`);
  const perClass = Math.floor(n / classes);
  return {
    chosen: members.flatMap((group) => group.slice(0, perClass)),
    rest: members.flatMap((group) => group.slice(perClass)),
  };
}

/** Indices of the examples of each class 0, …, classes − 1, in order. */
export function groupByClass(labels: ArrayLike<number>, classes: number): number[][] {
  const members = Array.from({ length: classes }, (): number[] => []);
  for (let i = 0; i < labels.length; i++) members[labels[i]]?.push(i);
  return members;
}

/** The labels at the given indices. */
export function labelsAt(labels: ArrayLike<number>, indices: readonly number[]): Float64Array {
  return Float64Array.from(indices, (index) => labels[index]);
}
