import { formatShape } from "../autodiff/index.ts";
import { valueError } from "../base/index.ts";
import type { ModelShape } from "./architecture.ts";

/** Throws unless examples are images [channels, height, width]; returns those three. */
export function imageShape(architecture: string, { inputShape }: ModelShape): [number, number, number] {
  if (inputShape.length !== 3 || inputShape.includes(0))
    throw valueError(
      architecture,
      "images [channels, height, width]",
      `examples of shape ${formatShape(inputShape)}`,
      "central-flows help run says which network reads which data",
    );
  return [inputShape[0], inputShape[1], inputShape[2]];
}

/** Throws unless examples are sequences of tokens [length] with a known vocabulary; returns both. */
export function tokenShape(
  architecture: string,
  { inputShape, vocabulary }: ModelShape,
): { readonly length: number; readonly vocabulary: number } {
  if (inputShape.length !== 1 || inputShape[0] < 1 || vocabulary === undefined)
    throw valueError(
      architecture,
      "sequences of tokens [length] and the size of their vocabulary",
      `examples of shape ${formatShape(inputShape)}${vocabulary === undefined ? " without a vocabulary" : ""}`,
      "central-flows help run says which network reads which data",
    );
  if (!Number.isSafeInteger(vocabulary) || vocabulary < 1)
    throw valueError(`${architecture}.vocabulary`, "an integer ≥ 1", String(vocabulary));
  return { length: inputShape[0], vocabulary };
}
