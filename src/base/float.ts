/** Unit roundoff spacing: the distance from 1 to the next larger double, 2⁻⁵². */
export const EPS = 2 ** -52;

/** The smallest positive normal double, 2⁻¹⁰²². */
export const SMALLEST_NORMAL = 2 ** -1022;
