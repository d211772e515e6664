/**
 * Tails and quantiles of the normal and of Student's t distribution, and how far a CUSUM goes by chance.
 * Probabilities are those of the *upper tail*, because that is where 1 - p would lose its digits.
 */

/** The point of a falling function where it reaches `goal`, by bisection; `from` must be above it, `to` below. */
function crossing(falling: (x: number) => number, goal: number, from: number, to: number): number {
  let [low, high] = [from, to];
  for (let step = 0; step < 100 && high - low > 1e-14 * Math.abs(high); step += 1) {
    const middle = (low + high) / 2;
    if (falling(middle) > goal) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** So many results of a function are remembered. */
const MOST_REMEMBERED = 2048;

/** Remembers results of a function of two numbers: the same few are asked for over and over, and take long. */
function remembered(compute: (a: number, b: number) => number): (a: number, b: number) => number {
  const known = new Map<string, number>();
  return (a, b) => {
    const key = `${a} ${b}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    if (known.size >= MOST_REMEMBERED) known.clear();
    const result = compute(a, b);
    known.set(key, result);
    return result;
  };
}

/**
 * P(Z > z) of a standard normal Z.
 *
 * @example
 * 2 * normalTail(3); // 0.0027
 */
export function normalTail(z: number): number {
  if (z < 0) return 1 - normalTail(-z);
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  if (z < 3) {
    let term = z;
    let sum = z;
    for (let odd = 3; term > 1e-17 * sum; odd += 2) {
      term *= (z * z) / odd;
      sum += term;
    }
    return 0.5 - density * sum;
  }
  let fraction = z;
  for (let depth = 60; depth > 0; depth -= 1) fraction = z + depth / fraction;
  return density / fraction;
}

/** The value of a polynomial, its constant first. */
function polynomial(x: number, coefficients: readonly number[]): number {
  let value = 0;
  for (let power = coefficients.length - 1; power >= 0; power -= 1) value = value * x + coefficients[power]!;
  return value;
}

/** Wichura's rational approximations (AS 241) of the normal quantile: near the middle, in the tails, far out. */
const MIDDLE = [
  [
    3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987,
    67265.7709270087, 33430.57558358813, 2509.0809287301227,
  ],
  [
    1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271,
    28729.085735721943, 5226.495278852854,
  ],
] as const;
const TAIL = [
  [
    1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684,
    0.2417807251774506, 0.022723844989269184, 0.0007745450142783414,
  ],
  [
    1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
    0.0005475938084995345, 1.0507500716444169e-9,
  ],
] as const;
const FAR_TAIL = [
  [
    6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
    0.0012426609473880784, 0.000027115555687434876, 2.0103343992922881e-7,
  ],
  [
    1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133,
    0.000018463183175100548, 1.421511758316446e-7, 2.0442631033899397e-15,
  ],
] as const;

/**
 * The z with P(Z > z) = `tail`, for a tail from 1e-300 to 1 - 1e-16.
 *
 * @example
 * normalQuantile(0.025); // 1.96
 */
export function normalQuantile(tail: number): number {
  const middle = 0.5 - tail;
  const quotient = (x: number, [above, below]: readonly [readonly number[], readonly number[]]): number =>
    polynomial(x, above) / polynomial(x, below);
  if (Math.abs(middle) <= 0.425) return middle * quotient(0.180625 - middle * middle, MIDDLE);
  const far = Math.sqrt(-Math.log(Math.min(tail, 1 - tail)));
  const z = far <= 5 ? quotient(far - 1.6, TAIL) : quotient(far - 5, FAR_TAIL);
  return middle > 0 ? z : -z;
}

/** ln Γ(x) of a positive x: Stirling's series, after shifting x to where it is exact. */
function logGamma(x: number): number {
  let shifted = x;
  let product = 1;
  for (; shifted < 12; shifted += 1) product *= shifted;
  const square = 1 / (shifted * shifted);
  const series = (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680))) / shifted;
  return (
    (shifted - 0.5) * Math.log(shifted) - shifted + Math.log(2 * Math.PI) / 2 + series - Math.log(product)
  );
}

/** The regularised incomplete beta function I_x(a, b), for x below its mean, as a continued fraction. */
function incompleteBeta(x: number, a: number, b: number): number {
  let fraction = 1;
  for (let m = 60; m > 0; m -= 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    fraction = 1 + even / fraction;
    const k = m - 1;
    const odd = (-(a + k) * (a + b + k) * x) / ((a + 2 * k) * (a + 2 * k + 1));
    fraction = 1 + odd / fraction;
  }
  const front = a * Math.log(x) + b * Math.log1p(-x) + logGamma(a + b) - logGamma(a) - logGamma(b);
  return Math.exp(front) / (a * fraction);
}

/** P(T > t) of Student's t with `df` degrees of freedom, for a t above 0. */
export function studentTail(t: number, df: number): number {
  const x = df / (df + t * t);
  if (x > (df / 2 + 1) / (df / 2 + 2.5)) return (1 - incompleteBeta(1 - x, 0.5, df / 2)) / 2;
  return incompleteBeta(x, df / 2, 0.5) / 2;
}

/**
 * The t with P(T > t) = `tail`, for a tail below one half.
 *
 * @example
 * studentQuantile(0.025, 4); // 2.776
 */
export const studentQuantile: (tail: number, df: number) => number = remembered((tail, df) =>
  Math.exp(crossing((log) => studentTail(Math.exp(log), df), tail, -20, 300)),
);

/**
 * How far a one-sided CUSUM of standard normal values less `slack` has to go to pass by chance once in `rate`⁻¹
 * steps on average (Siegmund's approximation); at least 1.
 */
export const cusumLimit: (rate: number, slack: number) => number = remembered((rate, slack) => {
  const goal = (2 * slack * slack) / rate;
  const b = crossing((x) => -(Math.expm1(x) - x), -goal, 0, 700);
  return Math.max(b / (2 * slack) - 1.166, 1);
});
