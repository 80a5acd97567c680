import { valueError } from "../base/index.ts";
import { mlp } from "./mlp.ts";
import type { Model, ModelShape } from "./model.ts";

/** Name → constructor. */
const ARCHITECTURES: Readonly<Record<string, (shape: ModelShape, options: never) => Model>> = { mlp };

/** The names `createModel` knows. */
export function architectureNames(): string[] {
  return Object.keys(ARCHITECTURES);
}

/** A model by the name of its architecture; options as its own type says. Throws for an unknown name. */
export function createModel(name: string, shape: ModelShape, options: object): Model {
  const construct = ARCHITECTURES[name];
  if (!construct) throw valueError("arch", `one of ${architectureNames().join(", ")}`, name);
  return construct(shape, options as never);
}
