/** The parameter words of a kernel by name, so that the call that writes them and the code that reads them cannot disagree. */
import type { Code, Local, Scope } from "./assembler.ts";
import { word } from "./header.ts";

/**
 * What a kernel reads from its parameter words: addresses of arrays, then numbers, each under its name.
 * @typeParam A names of arrays
 * @typeParam N names of numbers
 */
export interface KernelWords<A extends string, N extends string> {
  /** How many words there are. */
  readonly count: number;
  /** The code that reads a word. */
  word(name: A | N): Code;
  /** Words as locals, each under its name, and the code that sets them. */
  locals(scope: Scope): { readonly values: Readonly<Record<A | N, Local>>; readonly code: Code };
  /** The numbers in the order in which the kernel expects them: the `words` of a call. */
  pack(numbers: Readonly<Record<N, number>>): number[];
}

/** Declares the words of a kernel: its arrays in the order of a call's `arrays`, its numbers in any order. */
export function kernelWords<A extends string, N extends string>(
  arrays: readonly A[],
  numbers: readonly N[],
): KernelWords<A, N> {
  const names: readonly (A | N)[] = [...arrays, ...numbers];
  return {
    count: names.length,
    word: (name) => word(names.indexOf(name)),
    locals(scope) {
      const values = Object.fromEntries(names.map((name) => [name, scope.local("i32")])) as Record<
        A | N,
        Local
      >;
      return { values, code: names.flatMap((name, i) => values[name].set(word(i))) };
    },
    pack: (values) => numbers.map((name) => values[name]),
  };
}
