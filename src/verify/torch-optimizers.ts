import { adam, gradientDescent, heavyBall, nesterov, rmsProp, type UpdateRule } from "../flows/index.ts";

/** What a torch.optim description means here. */
export interface TorchOptimizer {
  readonly rule: UpdateRule;
  /** λ of decay that is added to the gradient, g + λw: torch's `weight_decay` everywhere but in AdamW. */
  readonly addedDecay: number;
}

type Arguments = Readonly<Record<string, string>>;

/** Reads `torch.optim.NAME(key=value, …)` where values are numbers, words or tuples. */
function parsed(description: string): { name: string; given: Arguments } | undefined {
  const [, name, list] = /^\s*torch\.optim\.(\w+)\((.*)\)\s*$/s.exec(description) ?? [];
  if (name === undefined) return undefined;
  const pairs = [...list.matchAll(/(\w+)\s*=\s*(\([^)]*\)|[^,\s]+)/g)].map(([, key, value]) => [key, value]);
  return { name, given: Object.fromEntries(pairs) };
}

const numbersIn = (tuple: string): number[] =>
  tuple
    .replace(/[()\s]/g, "")
    .split(",")
    .map(Number);

/** Arguments by optimizer that are read, with torch's defaults; any other must say what it would say by default. */
const READ: Readonly<Record<string, Arguments>> = {
  SGD: { lr: "1e-3", momentum: "0", nesterov: "False", weight_decay: "0" },
  RMSprop: { lr: "1e-2", alpha: "0.99", eps: "1e-8", weight_decay: "0" },
  Adam: { lr: "1e-3", betas: "(0.9, 0.999)", eps: "1e-8", weight_decay: "0" },
  AdamW: { lr: "1e-3", betas: "(0.9, 0.999)", eps: "1e-8", weight_decay: "1e-2" },
};
/** What `dampening=0` and the like say: nothing. */
const OFF: readonly string[] = ["0", "0.0", "False", "None"];

/** The rule that a torch.optim description means; a string says why there is none. */
export function torchOptimizer(description: string): TorchOptimizer | string {
  const { name, given } = parsed(description) ?? {};
  const defaults = name === undefined ? undefined : READ[name];
  if (name === undefined || given === undefined || !defaults)
    return `no update rule for ${description} in this build`;
  const unread = Object.entries(given).find(([key, value]) => !(key in defaults) && !OFF.includes(value));
  if (unread) return `no ${unread.join("=")} of torch.optim.${name} in this build`;
  const settings: Arguments = { ...defaults, ...given };
  const [lr, weightDecay] = [Number(settings.lr), Number(settings.weight_decay)];
  const [beta1, beta2] = numbersIn(settings.betas ?? "");
  const eps = Number(settings.eps);
  switch (name) {
    case "SGD": {
      const rule = settings.nesterov === "True" ? nesterov : heavyBall;
      const momentum = Number(settings.momentum);
      // torch's first buffer is the gradient itself, as Polyak's sum from zero is.
      return {
        rule:
          momentum === 0 ? gradientDescent({ lr }) : rule({ lr, beta1: momentum, momentumForm: "polyak" }),
        addedDecay: weightDecay,
      };
    }
    case "RMSprop":
      return { rule: rmsProp({ lr, beta2: Number(settings.alpha), eps }), addedDecay: weightDecay };
    case "Adam":
      return { rule: adam({ lr, beta1, beta2, eps, biasCorrection: true }), addedDecay: weightDecay };
    default:
      return { rule: adam({ lr, beta1, beta2, eps, biasCorrection: true, weightDecay }), addedDecay: 0 };
  }
}
