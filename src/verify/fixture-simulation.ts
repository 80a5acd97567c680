import { availableParallelism } from "node:os";
import { type BackendChoice, Objective, type Shape, selectBackend } from "../autodiff/index.ts";
import { valueError } from "../base/index.ts";
import {
  type CentralSettings,
  compileRule,
  gradientDescent,
  PROCESS_KINDS,
  type ProcessKind,
  rmsProp,
  scalarRmsProp,
  type UpdateRule,
} from "../flows/index.ts";
import { accuracy, CRITERIA, type Criterion, modelNamed, supervisedLoss } from "../models/index.ts";
import { Simulation } from "../simulation/index.ts";
import { arrayOf, camelCased, type FixtureCase, listOf, objectOf, vectorOf } from "./fixtures.ts";

/** What evaluates a fixture's loss. */
export interface EvaluationOptions {
  /** Default: the backend a run takes. */
  readonly backend?: BackendChoice;
  /** Default `auto`. Same bits. */
  readonly threads?: number | "auto";
}

/** The criterion of a fixture's loss. Throws where there is none of that name. */
export function criterionOf(fixture: FixtureCase): Criterion {
  const { criterion } = fixture.meta;
  if (!CRITERIA.includes(criterion as Criterion))
    throw valueError(`verify ${fixture.name}`, `a criterion among ${CRITERIA.join(", ")}`, String(criterion));
  return criterion as Criterion;
}

/** The loss that a fixture describes. Throws where its network has other parameters than ours of that name. */
export function objectiveOf(
  fixture: FixtureCase,
  { backend = "auto", threads = "auto" }: EvaluationOptions = {},
): Objective {
  const { meta } = fixture;
  const labels = arrayOf(fixture, "labels");
  const parameters = listOf(fixture, "parameters") as readonly (readonly [string, readonly number[]])[];
  const embedding = parameters.find(([name, shape]) => /emb/.test(name) && shape.length === 2);
  const inputs = arrayOf(fixture, "inputs");
  const model = modelNamed(
    String(meta.architecture),
    {
      inputShape: listOf(fixture, "input_shape") as Shape,
      outputDim: Number(meta.output_dim),
      ...(embedding && { vocabulary: embedding[1][0] }),
    },
    camelCased(objectOf(fixture, "options" in meta ? "options" : "architecture_options")),
  );
  checkParameters(fixture, model.parameters, parameters);
  return new Objective(
    supervisedLoss(model, criterionOf(fixture), {
      inputs: inputs.data,
      shape: inputs.shape.slice(1),
      labels: labels.data,
      labelShape: labels.shape.slice(1),
    }),
    {
      backend: selectBackend(backend).backend,
      threads: threads === "auto" ? availableParallelism() : threads,
    },
  );
}

function checkParameters(
  fixture: FixtureCase,
  ours: Readonly<Record<string, Shape>>,
  theirs: readonly (readonly [string, readonly number[]])[],
): void {
  const text = (list: readonly (readonly [string, Shape])[]): string =>
    list.map(([name, shape]) => `${name} [${shape}]`).join(", ");
  if (text(Object.entries(ours)) !== text(theirs))
    throw valueError(`verify ${fixture.name}`, `parameters ${text(Object.entries(ours))}`, text(theirs));
}

/** The rule that a trajectory was made with, if this build has it. */
function ruleOf(fixture: FixtureCase): UpdateRule | undefined {
  const options = camelCased(objectOf(fixture, "optimizer_options")) as unknown as {
    lr: number;
    beta2: number;
  };
  switch (fixture.meta.optimizer) {
    case "GradientDescent":
      return gradientDescent(options);
    case "ScalarRMSProp":
      return scalarRmsProp(options);
    case "RMSProp":
      return rmsProp(options);
    default:
      return undefined;
  }
}

export interface FixtureSimulation {
  readonly simulation: Simulation;
  /** The processes that run, and all that the fixture names. */
  readonly kinds: readonly ProcessKind[];
  readonly runs: readonly string[];
  /** In the unit where c = 2. */
  readonly trackThreshold: number;
}

/**
 * The run that a trajectory was made with, from its start. Undefined where this build has no optimizer of that name.
 * @param only runs these processes instead of all that the fixture names
 * @param steps how the central flow takes its steps, where not as the fixture's
 */
export function simulationOf(
  fixture: FixtureCase,
  objective: Objective,
  only?: readonly ProcessKind[],
  steps: Pick<CentralSettings, "integrator"> & Partial<Pick<CentralSettings, "substeps">> = {},
): FixtureSimulation | undefined {
  const { meta } = fixture;
  const rule = ruleOf(fixture);
  if (!rule) return undefined;
  const runs = listOf(fixture, "runs") as string[];
  const kinds =
    only ?? runs.filter((kind): kind is ProcessKind => PROCESS_KINDS.some((known) => known === kind));
  const eig = camelCased(objectOf(fixture, "eig")) as {
    frequency: number;
    trackThreshold: number;
    initialNeigs: number;
    tol: number;
  };
  const central = camelCased(objectOf(fixture, "central")) as {
    nsubsteps: number;
    sdcpThreshold: number;
    frequencyInSubsteps?: boolean;
  };
  const stable = objectOf(fixture, "stable") as { min_nsubsteps: number; max_Seff?: number | null };
  const criterion = criterionOf(fixture);
  const labels = arrayOf(fixture, "labels").data;
  const simulation = new Simulation({
    objective,
    rule: compileRule(rule, objective.dimension),
    initialWeights: vectorOf(fixture, "w0", objective.dimension),
    warmStart: Number(meta.warm_start ?? 0),
    processes: kinds.map((kind) => ({
      kind,
      eigen: {
        frequency: eig.frequency,
        trackThreshold: eig.trackThreshold,
        initialCount: eig.initialNeigs,
        solver: "lobpcg",
        tolerance: eig.tol,
      },
      rawEigenvalues: false,
    })),
    central: {
      substeps: central.nsubsteps,
      criticalThreshold: central.sdcpThreshold,
      frequencyInSubsteps: central.frequencyInSubsteps ?? false,
      ...steps,
    },
    stable: {
      minSubsteps: stable.min_nsubsteps,
      maxSharpness: stable.max_Seff === undefined ? 100 : stable.max_Seff,
    },
    seed: 0,
    watched: {
      train: {
        accuracy: (outputs) => accuracy(criterion, outputs, labels),
        outputShape: [Number(meta.output_dim)],
      },
      test: undefined,
    },
  });
  return { simulation, kinds, runs, trackThreshold: eig.trackThreshold };
}
