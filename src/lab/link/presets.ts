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
const FEW = "data=moons&data.n=60&arch=mlp&arch.width=8";
const THREE = "runs=discrete,central,stable";
const RMSPROP = "opt.eps=1e-7&opt.bias-correction=true";

/** The runs to begin with, each in under two seconds on one core; chosen over several seeds so that they make their point. */
export const LAB_PRESETS: readonly LabPreset[] = [
  {
    name: "edge",
    title: "Reach the edge",
    says: "The sharpness climbs to 2/η and stays there; the central flow goes along, the stable flow does not.",
    link: `opt=gd&opt.lr=0.6&${MOONS}&${THREE}&steps=200`,
  },
  {
    name: "smaller",
    title: "Smaller η",
    says: "With a smaller step the edge is higher, and the network becomes sharper before it stops.",
    link: `opt=gd&opt.lr=0.5&${MOONS}&${THREE}&steps=200/opt.lr=0.6`,
  },
  {
    name: "two",
    title: "Two eigenvalues",
    says: "A second eigenvalue comes to the edge; the flow holds both there.",
    link: `opt=gd&opt.lr=0.6&data=classification&data.n=60&data.classes=4&arch=mlp&arch.width=8&${THREE}&steps=150&view=effective`,
  },
  {
    name: "rmsprop",
    title: "RMSProp",
    says: "RMSProp sets its step sizes from its gradients, and reaches an edge that is in P⁻¹H and not in H.",
    link: `opt=rmsprop&opt.lr=0.01&opt.beta2=0.99&${RMSPROP}&${FEW}&${THREE}&steps=120&view=effective`,
  },
  {
    name: "acceleration",
    title: "Acceleration",
    says: "The oscillation makes RMSProp seek regions where larger steps can be taken. A flow told to leave that out (ablated) is slower.",
    link: `opt=rmsprop&opt.lr=0.02&opt.beta2=0.95&${RMSPROP}&${FEW}&runs=discrete,central,ablated&steps=150&view=effective`,
  },
  {
    name: "heavy-ball",
    title: "Heavy ball",
    says: "With momentum 0.9 the edge is at 38/η: nineteen times as high as without.",
    link: `opt=heavy-ball&opt.lr=0.5&data=classification&data.n=60&data.classes=4&arch=mlp&arch.width=8&${THREE}&steps=150&view=effective`,
  },
  {
    name: "diverges",
    title: "Too large",
    says: "Some steps are too large for any flow to follow: the run ends with a sentence.",
    link: `opt=gd&opt.lr=100&${FEW}&${THREE}&steps=100`,
  },
];
