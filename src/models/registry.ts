import { byName, type Given, type Settings, settle, type Values, valueError } from "../base/index.ts";
import type { Architecture, Model, ModelShape } from "./architecture.ts";
import { cnn } from "./cnn.ts";
import { lstm } from "./lstm.ts";
import { mamba } from "./mamba.ts";
import { mlp } from "./mlp.ts";
import { resnet } from "./resnet.ts";
import { transformer } from "./transformer.ts";
import { vit } from "./vit.ts";

/** Every architecture by name: a new one is its own file and a word here. */
export const architectures = byName([mlp, cnn, resnet, vit, lstm, transformer, mamba]);

/** The names of the architectures. */
export type ArchitectureName = keyof typeof architectures;

/** The options of each architecture. */
export type ArchitectureOptions = {
  readonly [A in ArchitectureName]: Partial<Given<(typeof architectures)[A]["settings"]>>;
};

/** The names `createModel` knows. */
export function architectureNames(): ArchitectureName[] {
  return Object.keys(architectures) as ArchitectureName[];
}

/**
 * A model by the name of its architecture, e.g. `createModel("cnn", { inputShape: [3, 32, 32], outputDim: 10 },
 * { width: 16 })`; an option left out has its default. Names and options are checked by types; throws for what they let
 * through: an unknown name or option, a value that an option cannot have, a shape that the architecture cannot take.
 */
export function createModel<A extends ArchitectureName>(
  name: A,
  shape: ModelShape,
  options?: ArchitectureOptions[A],
): Model {
  return modelNamed(name, shape, options);
}

/** `createModel` for a name and options that are only known when the program runs. @throws as {@link createModel} */
export function modelNamed(name: string, shape: ModelShape, options: object = {}): Model {
  if (!Object.hasOwn(architectures, name))
    throw valueError("arch", `one of ${architectureNames().join(", ")}`, name);
  return buildModel(architectures[name as ArchitectureName], shape, options);
}

/** The network of an architecture, a built-in one or another, called `name`. @throws as {@link createModel} */
export function buildModel(
  architecture: Architecture,
  shape: ModelShape,
  options: object = {},
  name = architecture.name,
): Model {
  const values: Values<Settings> = settle(name, architecture, options);
  if (!Number.isSafeInteger(shape.outputDim) || shape.outputDim < 1)
    throw valueError(name, "a whole number of outputs ≥ 1", String(shape.outputDim));
  return { name, ...architecture.build(shape, values) };
}
