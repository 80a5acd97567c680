import { CentralProcess, type CentralSettings } from "./central.ts";
import type { ProcessSetup } from "./process.ts";

/**
 * The ablated flow (docs/derivations.md, section 11): the central flow without its curvature penalty on the weights,
 * dw^{ij} = 0. Σ still drives ν, so that the effective sharpness stays at the edge; the weights follow −P⁻¹∇L alone,
 * into sharper regions. For scalar RMSProp at the edge that is dw/dt = −(2/S)∇L.
 */
export class AblatedProcess extends CentralProcess {
  constructor(setup: ProcessSetup, settings: CentralSettings) {
    super(setup, settings, "ablated");
  }
}
