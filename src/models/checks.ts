import { formatShape } from "../autodiff/index.ts";
import { kindError, valueError } from "../base/index.ts";
import type { ModelShape } from "./architecture.ts";

/** Throws unless every option is a whole number ≥ 1. */
export function checkCounts(architecture: string, counts: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(counts))
    if (!Number.isSafeInteger(value) || value < 1)
      throw valueError(`${architecture}.${name}`, "a whole number ≥ 1", String(value));
}

export function checkFinite(architecture: string, name: string, value: number): void {
  if (typeof value !== "number" || !Number.isFinite(value))
    throw valueError(`${architecture}.${name}`, "a finite number", String(value));
}

export function checkFlags(architecture: string, flags: Readonly<Record<string, boolean>>): void {
  for (const [name, value] of Object.entries(flags))
    if (typeof value !== "boolean")
      throw kindError(`${architecture}.${name}`, "true or false", String(value));
}

/** Throws unless examples are images [channels, height, width]; returns those three. */
export function imageShape(architecture: string, { inputShape }: ModelShape): [number, number, number] {
  if (inputShape.length !== 3 || inputShape.includes(0))
    throw valueError(
      architecture,
      "images [channels, height, width]",
      `examples of shape ${formatShape(inputShape)}`,
      "mlp takes any shape",
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
      "mlp takes any numbers, cnn, resnet and vit take images",
    );
  checkCounts(architecture, { vocabulary });
  return { length: inputShape[0], vocabulary };
}
