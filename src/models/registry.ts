import { kindError, valueError } from "../base/index.ts";
import type { Model, ModelShape } from "./architecture.ts";
import { type CnnOptions, cnn } from "./cnn.ts";
import { type LstmOptions, lstm } from "./lstm.ts";
import { type MambaOptions, mamba } from "./mamba.ts";
import { type MlpOptions, mlp } from "./mlp.ts";
import { type ResnetOptions, resnet } from "./resnet.ts";
import { type TransformerOptions, transformer } from "./transformer.ts";
import { type VitOptions, vit } from "./vit.ts";

/** The options of each architecture. */
export interface ArchitectureOptions {
  readonly mlp: MlpOptions;
  readonly cnn: CnnOptions;
  readonly resnet: ResnetOptions;
  readonly vit: VitOptions;
  readonly lstm: LstmOptions;
  readonly transformer: TransformerOptions;
  readonly mamba: MambaOptions;
}

export type ArchitectureName = keyof ArchitectureOptions;

interface Architecture<Options> {
  readonly construct: (shape: ModelShape, options: Options) => Model;
  /** Every option there is. */
  readonly options: { readonly [K in keyof Required<Options>]: true };
}

const ARCHITECTURES: { readonly [A in ArchitectureName]: Architecture<ArchitectureOptions[A]> } = {
  mlp: { construct: mlp, options: { activation: true, width: true } },
  cnn: { construct: cnn, options: { activation: true, width: true } },
  resnet: { construct: resnet, options: { activation: true, width: true, stageSizes: true } },
  vit: {
    construct: vit,
    options: {
      patchSize: true,
      dim: true,
      depth: true,
      mlpDim: true,
      numHeads: true,
      pool: true,
      replaceLn: true,
      trainableLn: true,
      simple: true,
      initScale: true,
    },
  },
  lstm: { construct: lstm, options: { layers: true, embdDim: true, hiddenDim: true } },
  transformer: {
    construct: transformer,
    options: { layers: true, dModel: true, nhead: true, replaceLn: true, weightMultiplier: true },
  },
  mamba: {
    construct: mamba,
    options: { layers: true, dModel: true, binary: true, pscan: true, initScale: true },
  },
};

/** The names `createModel` knows. */
export function architectureNames(): ArchitectureName[] {
  return Object.keys(ARCHITECTURES) as ArchitectureName[];
}

/**
 * A model by the name of its architecture, e.g. `createModel("cnn", { inputShape: [3, 32, 32], outputDim: 10 },
 * { width: 16 })`; an option left out has its default. Throws for an unknown name or option, for a value that an
 * option cannot have, and for a shape that the architecture cannot take.
 */
export function createModel<A extends ArchitectureName>(
  name: A,
  shape: ModelShape,
  options?: ArchitectureOptions[A],
): Model;
export function createModel(name: string, shape: ModelShape, options?: object): Model;
export function createModel(name: string, shape: ModelShape, options: object = {}): Model {
  if (!Object.hasOwn(ARCHITECTURES, name))
    throw valueError("arch", `one of ${architectureNames().join(", ")}`, name);
  const { construct, options: known } = ARCHITECTURES[name as ArchitectureName] as Architecture<object>;
  if (typeof options !== "object" || options === null)
    throw kindError(name, "an object of options", String(options));
  for (const option of Object.keys(options))
    if (!Object.hasOwn(known, option))
      throw valueError(name, `options among ${Object.keys(known).join(", ")}`, option);
  if (!Number.isSafeInteger(shape.outputDim) || shape.outputDim < 1)
    throw valueError(name, "a whole number of outputs ≥ 1", String(shape.outputDim));
  return construct(shape, options);
}
