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

/** The z with P(Z > z) = `tail`, for a tail from 1e-300 to 1 - 1e-16. */
export function normalQuantile(tail: number): number {
  if (tail === 0.5) return 0;
  return tail > 0.5 ? -normalQuantile(1 - tail) : crossing(normalTail, tail, 0, 38);
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
export const studentQuantile = (tail: number, df: number): number =>
  Math.exp(crossing((log) => studentTail(Math.exp(log), df), tail, -20, 300));

/**
 * How far a one-sided CUSUM of standard normal values less `slack` has to go to pass by chance once in `rate`⁻¹
 * steps on average (Siegmund's approximation); at least 1.
 */
export function cusumLimit(rate: number, slack: number): number {
  const goal = (2 * slack * slack) / rate;
  const b = crossing((x) => -(Math.expm1(x) - x), -goal, 0, 700);
  return Math.max(b / (2 * slack) - 1.166, 1);
}
