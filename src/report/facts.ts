/** One thing to know about a run. */
export interface Fact {
  readonly label: string;
  readonly value: string;
}

/** The part of a configuration's nested record that facts are read from; anything may be missing. */
type Json = Readonly<Record<string, unknown>>;

/**
 * What a run is, for the head of its report: optimizer, learning rate, data, network, steps. Read from a
 * configuration in the structure of config.json; what it does not say is left out.
 */
export function runFacts(config: Json): Fact[] {
  const facts: [string, string | undefined][] = [
    ["Optimizer", optimizer(group(config, "opt"))],
    ["Learning rate", text(group(config, "opt").lr)],
    ["Data", data(group(config, "data"))],
    ["Network", network(group(config, "arch"))],
    ["Steps", text(config.steps)],
    ["Warm start", Number(config.warm_start) > 0 ? `${text(config.warm_start)} steps` : undefined],
  ];
  return facts.flatMap(([label, value]) => (value === undefined ? [] : [{ label, value }]));
}

/** Every leaf of a nested record as `a.b`: value, in order, for the full listing. */
export function flattened(config: Json, prefix = ""): Fact[] {
  return Object.entries(config).flatMap(([key, value]): Fact[] => {
    const label = `${prefix}${key}`;
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return flattened(value as Json, `${label}.`);
    return [{ label, value: typeof value === "string" ? value : (JSON.stringify(value) ?? "") }];
  });
}

function group(config: Json, key: string): Json {
  const value = config[key];
  return typeof value === "object" && value !== null ? (value as Json) : {};
}

/** `ScalarRMSProp` reads better as `Scalar RMSProp`. */
function className(part: Json): string | undefined {
  const name = part.class ?? part.name;
  return typeof name === "string" ? name.replace(/([a-z])([A-Z])/g, "$1 $2") : undefined;
}

function optimizer(opt: Json): string | undefined {
  if (typeof opt.file === "string") {
    const options = Object.entries(group(opt, "options")).map(([name, value]) => `${name} = ${value}`);
    return joined([opt.file, ...options]);
  }
  return joined([className(opt), opt.beta2 === undefined ? undefined : `β₂ = ${text(opt.beta2)}`]);
}

function data(part: Json): string | undefined {
  const n = Number(part.n) > 0 ? `${text(part.n)} examples` : undefined;
  return joined([className(part), n, text(part.criterion)]);
}

function network(arch: Json): string | undefined {
  const width = arch.width === undefined ? undefined : `width ${text(arch.width)}`;
  return joined([className(arch), width, text(arch.activation)]);
}

function text(value: unknown): string | undefined {
  return typeof value === "number" || typeof value === "string" ? String(value) : undefined;
}

function joined(parts: readonly (string | undefined)[]): string | undefined {
  return parts[0] === undefined ? undefined : parts.filter((part) => part !== undefined).join(", ");
}
