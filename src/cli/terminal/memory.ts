import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What lives may grow by so many percent before V8 looks for what does not. By itself it lets 20 MB become 80. */
const GROWTH_PERCENT = 40;

/**
 * Keeps the memory of a long run flat, from the moment it is called on: what is new in every row is given back sooner, for no
 * time that can be measured. Collects garbage once, since V8 sets its limits when it has. No effect on engines other than V8.
 */
export function keepMemoryFlat(): void {
  try {
    setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
    setFlagsFromString("--expose-gc");
    runInNewContext("gc")();
  } catch {
    // Another engine, which has no such flags.
  }
}
