"""Writes the tables behind exp, log, erf, erfc, sin and cos, those of erfc into a file of their own.

    pip install mpmath
    python tools/elementary-coefficients.py > src/base/elementary/tables.ts
    python tools/elementary-coefficients.py erfc > src/base/elementary/erfc-table.ts
    npx biome format --write src/base/elementary

Everything is computed with 60 digits and rounded once to a double. Numbers are printed as the shortest
decimal that reads back as the same double.
"""

import sys

from mpmath import cos, erf, erfc, exp, log, lu_solve, matrix, mp, mpf, nint, pi, sqrt

mp.dps = 60

EXP_STEPS = 128  # the result is then 2^(j/128)·(1 + p) with |p| < 0.0028, which costs 0.01 ulp beyond rounding
LOG_INTERVALS = 128
LOG_OFFSET = 0x3FE61000  # high word of 0.68945…; puts 1 in the middle of one of the intervals
ERF_TERMS = 10
ERF_ROW = 2 + ERF_TERMS
ERFC_TERMS = 9
ERFC_BINADES = 6  # from 1/2 to 32
ERFC_ROWS = 16  # to a binade


def double_double(x):
    high = float(x)
    return high, float(x - mpf(high))


def chopped(x, bits):
    """x rounded to a multiple of 2^-bits, and the rest."""
    high = nint(x * 2**bits) / mpf(2) ** bits
    return float(high), float(x - high)


def interpolant(f, low, high, terms):
    """Monomial coefficients of the polynomial that meets f at the Chebyshev points of [low, high]."""
    nodes = [(low + high) / 2 + (high - low) / 2 * cos(pi * (i + mpf(1) / 2) / terms) for i in range(terms)]
    vandermonde = matrix(terms, terms)
    values = matrix(terms, 1)
    for i, node in enumerate(nodes):
        values[i] = f(node)
        for j in range(terms):
            vandermonde[i, j] = node**j
    return [float(c) for c in lu_solve(vandermonde, values)]


def half_pi_parts():
    """π/2 as three numbers of 33 bits and the double nearest to what they leave."""
    parts, left = [], pi / 2
    for bits in (32, 65, 99):
        high, _ = chopped(left, bits)
        parts.append(high)
        left -= mpf(high)
    return [*parts, float(left)]


def two_over_pi_words(count):
    """The first 32·count bits of 2/π after the point, most significant word first."""
    digits = mp.dps
    mp.dps = 32 * count * 3 // 10 + 40
    bits = int(2 / pi * mpf(2) ** (32 * count))
    mp.dps = digits
    return [(bits >> (32 * (count - 1 - i))) & 0xFFFFFFFF for i in range(count)]


def exp_table():
    rows = []
    for j in range(EXP_STEPS):
        rows.extend(double_double(mpf(2) ** (mpf(j) / EXP_STEPS)))
    return rows


def high_word_value(word):
    """The double with this high word and a zero low word, for a positive normal number."""
    return (1 + mpf(word & 0xFFFFF) / 2**20) * mpf(2) ** ((word >> 20) - 1023)


def log_table():
    """Per interval: 1/c to 12 bits after the point, then −log of it, a multiple of 2⁻⁴² and the rest."""
    rows = []
    for i in range(LOG_INTERVALS):
        low = high_word_value(LOG_OFFSET + (i << 13))
        high = high_word_value(LOG_OFFSET + ((i + 1) << 13))
        reciprocal = mpf(1) if low < 1 < high else nint(2 / (low + high) * 2**12) / 2**12
        rows.append(float(reciprocal))
        rows.extend(chopped(-log(reciprocal), 42))
    return rows


def erf_table():
    """Row 0: erf(a) = a + a·Q(a²) on a < 1/2. Row i: erf(c+t) = high + (low + t·Q(t)), c = (i + 3.5)/8."""
    slope = 2 / sqrt(pi)

    def near_zero(u):
        return erf(sqrt(u)) / sqrt(u) - 1 if u else slope - 1

    rows = [0.0, 0.0, *interpolant(near_zero, mpf(0), mpf(1) / 4, ERF_TERMS)]
    for n in range(4, 48):
        centre = (n + mpf(1) / 2) / 8
        value = erf(centre)

        def quotient(t):
            return (erf(centre + t) - value) / t if t else slope * exp(-centre * centre)

        rows.extend(double_double(value))
        rows.extend(interpolant(quotient, -mpf(1) / 16, mpf(1) / 16, ERF_TERMS))
    return rows


def erfc_table():
    """Row 0: erf(a) = a + a·Q(a²) on a < 1/2. Others: e^{a²} erfc(a) = high + (low + t·Q(t)), t = a − centre."""

    def near_zero(u):
        return erf(sqrt(u)) / sqrt(u) - 1 if u else 2 / sqrt(pi) - 1

    def scaled(a):
        return exp(a * a) * erfc(a)

    rows = [0.0, 0.0, 0.0, *interpolant(near_zero, mpf(0), mpf(1) / 4, ERFC_TERMS)]
    for binade in range(ERFC_BINADES):
        for part in range(ERFC_ROWS):
            half = mpf(2) ** (binade - 1) / (2 * ERFC_ROWS)
            centre = mpf(2) ** (binade - 1) + (2 * part + 1) * half
            value = scaled(centre)

            def quotient(t):
                # The middle one of an odd number of Chebyshev points is 0 but for rounding.
                return (scaled(centre + t) - value) / t if abs(t) > 1e-20 else 2 * centre * value - 2 / sqrt(pi)

            rows.append(float(centre))
            rows.extend(double_double(value))
            rows.extend(interpolant(quotient, -half, half, ERFC_TERMS))
    return rows


def number(x):
    text = repr(x)
    return text[:-2] if text.endswith(".0") else text


def emit(name, doc, rows, kind="Float64Array"):
    print(f"\n/** {doc} */\nexport const {name} = new {kind}([")
    print(", ".join(number(x) for x in rows))
    print("]);")


def constant(name, doc, value):
    print(f"\n/** {doc} */\nexport const {name} = {number(value)};")


print("/** Generated by tools/elementary-coefficients.py (mpmath, 60 digits); do not edit. */")
print("// biome-ignore-all lint/suspicious/noApproximativeNumericConstant: rows of tables, not hand-typed constants")
if sys.argv[1:] == ["erfc"]:
    emit("ERFC_TABLE", "97 rows of 12, as erfc.ts reads them: centre, value, rest of the value, nine coefficients of Q.", erfc_table())
    sys.exit()
step_high, step_low = chopped(log(2) / EXP_STEPS, 42)
constant("STEPS_PER_UNIT", "128/log 2.", float(EXP_STEPS / log(2)))
constant("STEP_HIGH", "(log 2)/128 to a multiple of 2⁻⁴², so that its product with an 18-bit integer is exact.", step_high)
constant("STEP_LOW", "What STEP_HIGH leaves of (log 2)/128.", step_low)
ln2_high, ln2_low = chopped(log(2), 42)
constant("LN2_HIGH", "log 2 to a multiple of 2⁻⁴², so that its product with an 11-bit integer is exact.", ln2_high)
constant("LN2_LOW", "What LN2_HIGH leaves of log 2.", ln2_low)
emit("EXP_TABLE", "2^(j/128), j = 0 … 127, as pairs: the double nearest to it, and the rest.", exp_table())
emit(
    "LOG_TABLE",
    "Triples for 128 intervals of [0.689, 1.379): ρ ≈ 1/centre in multiples of 2⁻¹², then −log ρ as a multiple of 2⁻⁴² and the rest.",
    log_table(),
)
emit("ERF_TABLE", "45 rows of 12, as erf.ts reads them: value, rest of the value, ten coefficients of Q.", erf_table())
constant("QUARTERS_PER_RADIAN", "2/π.", float(2 / pi))
emit(
    "HALF_PI_PARTS",
    "π/2 = three numbers of at most 33 bits, whose products with 20-bit integers are exact, and the rest.",
    half_pi_parts(),
)
emit("TWO_OVER_PI_WORDS", "The first 1216 bits of 2/π after the point, most significant word first.", two_over_pi_words(38), "Uint32Array")
