/** The lab: central flows in a page, as one file. The page itself is in `browser`, which the build makes that file of. */
export { LAB_MARK, labFile } from "./file.ts";
export { type Bits, BitTrail, bitsOf, bitsText, comparedBits } from "./link/bits.ts";
export { type ChartName, type LabLink, readLink, USUAL_VIEW, type View, writeLink } from "./link/link.ts";
export { LAB_PRESETS, type LabPreset } from "./link/presets.ts";
export { argvOf, commandOf, type Pairs, pairsOf, readPairs } from "./link/words.ts";
