/** A run that makes one point. */
export interface LabPreset {
  readonly name: string;
  readonly title: string;
  /** What it shows, as one sentence. */
  readonly says: string;
  /** Its link. */
  readonly link: string;
}

const MOONS = "data=moons&arch=mlp&arch.width=16";
const THREE = "runs=discrete,central,stable";

/** The runs to begin with, each in under two seconds on one core; chosen over several seeds so that they make their point. */
export const LAB_PRESETS: readonly LabPreset[] = [
  {
    name: "edge",
    title: "Reach the edge",
    says: "The sharpness climbs to 2/η and stays there; the central flow goes along, the stable flow does not.",
    link: `opt=gd&opt.lr=0.6&${MOONS}&${THREE}&steps=200`,
  },
];
