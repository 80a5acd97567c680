import type { Code, Local, Scope } from "./assembler.ts";
import { i32, int } from "./instructions.ts";
import { word } from "./memory.ts";

/** Consecutive parameter words as locals. */
export function parameters<K extends string>(
  scope: Scope,
  names: readonly K[],
): { values: Record<K, Local>; code: Code } {
  const values = Object.fromEntries(names.map((name) => [name, scope.local("i32")])) as Record<K, Local>;
  return { values, code: names.flatMap((name, i) => values[name].set(word(i))) };
}

export const least = (a: Code, b: Code): Code => i32.select(a, b, i32.less(a, b));
export const gain = (address: Local, step: Code): Code => address.set(i32.add(address.get, step));
export const loseOne = (count: Local): Code => count.tee(i32.subtract(count.get, int(1)));
