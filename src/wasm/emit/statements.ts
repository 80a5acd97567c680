/** Statements and values that kernels write often. */
import type { Code, Local } from "./assembler.ts";
import { i32, int } from "./instructions.ts";

/** The smaller of two signed integers. Both codes are written twice. */
export const least = (a: Code, b: Code): Code => i32.select(a, b, i32.less(a, b));
/** Adds to a variable. */
export const gain = (address: Local, step: Code): Code => address.set(i32.add(address.get, step));
/** Takes one from a count and leaves it on the stack: the condition of a loop that runs as often as the count says. */
export const loseOne = (count: Local): Code => count.tee(i32.subtract(count.get, int(1)));
