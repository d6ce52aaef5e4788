// The pretrained network: names, order and equations of forecast/pretrained/reading.py and network.py, for one series
// without missing values. C, the constants of these modules, comes from the page.
/** Return the number of 16 bits, see IEEE 754: a sign, five bits of the exponent, ten of the fraction. */
function decodeHalf(bits) {
  const exponent = (bits >> 10) & 31, fraction = (bits & 1023) / 1024;
  return (bits >> 15 ? -1 : 1) * (exponent ? 2 ** (exponent - 15) * (1 + fraction) : 2 ** -14 * fraction);
}

const range = (count, first = 0) => Array.from({ length: count }, (_, place) => first + place);
const sum = (values) => values.reduce((total, value) => total + value, 0);
const averageKnown = (values) => {
  const found = values.filter((value) => !Number.isNaN(value));
  return sum(found) / Math.max(found.length, 1);
};
const findMedian = (values) => {
  const sorted = Float64Array.from(values).sort(), last = sorted.length - 1;
  return (sorted[last >> 1] + sorted[(last + 1) >> 1]) / 2;
};
const findLargest = (values) => values.reduce((most, value) => Math.max(most, value), -Infinity);
const cut = (value) => Math.min(Math.max(value, -C.LARGEST), C.LARGEST);
const asNumbers = (parts) => Array.from(parts, (part) => +part || 0); // 0 for NaN and false
const softplus = (value) => Math.max(value, 0) + Math.log1p(Math.exp(-Math.abs(value)));
const relu = (values) => values.map((value) => Math.max(value, 0));

// The value less the one `lag` steps before, NaN without one.
const findDifferences = (past, lag) => past.map((value, place) => (place < lag ? NaN : value - past[place - lag]));
function findUnit(changes, seasonal) {
  const [change, seasonalChange] = [changes, seasonal].map((own) => averageKnown(own.map(Math.abs)));
  return (seasonalChange > C.LEAST_PART * change ? seasonalChange : change) || C.UNIT_OF_CONSTANTS;
}
const findPhase = (step, season) => (season > 1 ? [Math.sin, Math.cos].map((turn) => turn((2 * Math.PI * step) / season)) : [0, 0]);

// What the network reads of the past: the sequence, facts about the series, and each step ahead.
function readPast(past, season, horizon, isLog) {
  const steps = [findDifferences(past, 1), findDifferences(past, season)], unit = findUnit(...steps);
  const zero = averageKnown(past.slice(-(season > 1 ? season : C.NUM_NEWEST)));
  const scaled = past.map((value) => cut((value - zero) / unit));
  const [changes, seasonal] = steps.map((step) => step.map((value) => cut(value / unit)));
  const first = Math.max(0, past.length - C.MAX_STEPS);
  return {
    sequence: range(past.length - first, first).map((place) => readStep(scaled, changes, seasonal, season, place)),
    static: readStatic(scaled, changes, seasonal, season, isLog),
    ahead: range(horizon).map((step) => readAhead(scaled, season, step)), unit, zero,
  };
}

function readStep(values, changes, seasonal, season, place) {
  const age = place - (values.length - 1);
  return asNumbers([
    ...[values, changes, seasonal].map((own) => Math.asinh(own[place])), !Number.isNaN(seasonal[place]),
    ...findPhase(age, season), age / 32,
  ]);
}

function readStatic(values, changes, seasonal, season, isLog) {
  const mean = averageKnown(values), spread = Math.sqrt(averageKnown(values.map((value) => (value - mean) ** 2)));
  const isSame = changes.map((change) => (Number.isNaN(change) ? NaN : +(change === 0)));
  return asNumbers([
    Math.log(season) / 3, Math.log(values.length) / 3, isLog, season === 1,
    values.length < 2 * season, values.length < season,
    Math.log(spread + 1e-3), Math.log(findLargest(values.map(Math.abs)) + 1e-3),
    Math.log(averageKnown(changes.map(Math.abs)) + 1e-3), Math.asinh(averageKnown(changes)),
    Math.asinh(averageKnown(seasonal.slice(-season))), averageKnown(isSame),
  ]);
}

const findLearntHorizon = (season) => C.LEARNT_HORIZONS[season] ?? C.LEARNT_HORIZONS[0];
/** Return the number of a step ahead, from 1, at most those that the network learnt for this season. */
const countSteps = (step, season) => Math.min(step + 1, findLearntHorizon(season));

function readAhead(values, season, step) {
  const last = values[values.length - 1], long = C.LONG_SEASONS[season];
  const findLag = (length, back, shift = 0) => values[values.length - back * length + ((step + shift + length) % length)] ?? NaN;
  const lags = range(C.MAX_SEASONS, 1).map((back) => (season > 1 ? findLag(season, back) : NaN));
  const before = season > 1 ? (findLag(season, 1, -1) + findLag(season, 1, 1)) / 2 : NaN;
  const ofLong = long ? findLag(long, 1) : NaN, base = Number.isNaN(lags[0]) ? last : lags[0];
  const mean = lags.every(Number.isNaN) ? NaN : averageKnown(lags), steps = countSteps(step, season);
  const inputs = asNumbers([
    Math.asinh(base), Math.asinh(last - base),
    ...[lags[1], lags[2], ofLong].flatMap((lag) => [Math.asinh(lag - base), !Number.isNaN(lag)]),
    Math.asinh(mean - base), Math.asinh(before - base),
    Math.log(steps), season > 1 ? steps / season / 4 : steps / 8, ...findPhase(step + 1, season),
  ]);
  return { base, inputs };
}

//  a = relu(s S + static T + ahead A + b),   a' = relu(a R + r) + a,   o = a' O + q
function computeHead(weights, read, hidden) {
  const ofWindow = plus(times(hidden, weights.state_kernel), times(read.static, weights.static_kernel), weights.first_bias);
  return read.ahead.map(({ inputs }) => {
    const first = relu(plus(times(inputs, weights.ahead_kernel), ofWindow));
    const second = relu(plus(times(first, weights.second_kernel), weights.second_bias));
    return plus(times(plus(second, first), weights.output_kernel), weights.output_bias);
  });
}

//  median = base + σ o₀,   quantiles = median ∓ σ Σ zₖ softplus(oₖ + c),   σ = .8 √(1 + step / 6)
function findQuantiles(output, base, spread) {
  const median = base + spread * output[0];
  const parts = C.DISTANCES.concat(C.DISTANCES).map((part, k) => part * softplus(output[k + 1] + C.SOFTPLUS_OF_ONE));
  const reach = (own, sign) => own.map((_, k) => median + sign * spread * sum(own.slice(0, k + 1)));
  return [...reach(parts.slice(0, parts.length / 2), -1).reverse(), median, ...reach(parts.slice(parts.length / 2), 1)];
}

function forecastOnce({ cell, weights: [weights] }, past, season, horizon, isLog, change = []) {
  const read = readPast(past, season, horizon, isLog), records = runLayer(cell, weights, read.sequence, change[0]?.clamps, change[0]?.muted);
  const scale = (value) => value * read.unit + read.zero, findSpread = (step) => 0.8 * Math.sqrt(1 + countSteps(step, season) / 6);
  const outputs = computeHead(weights, read, records.at(-1).hidden);
  const quantiles = outputs.map((output, step) => findQuantiles(output, read.ahead[step].base, findSpread(step)).map(scale));
  return { layers: [records], quantiles, bases: read.ahead.map(({ base }) => scale(base)) };
}

const findPastLength = (season, horizon) => Math.max(C.NUM_READ, findMemoryLength(season, horizon));

/** Return the mean of the forecast of the logarithms, or of the values if one is near 0, and of the negated values, negated.
 *
 * @param change     of the gates in each of the two forecasts, see `runNetwork`.
 * @param olderDays  see `revert`.
 * @returns the quantiles at C.LEVELS of each step ahead, by how much the long memory moved them, the bases that the network
 *     corrects, and both forecasts as members.
 */
function forecastPretrained(network, past, season, horizon, change = [], olderDays = []) {
  const newest = past.slice(-C.NUM_READ), negatedPast = newest.map((value) => -value), least = -findLargest(negatedPast);
  const isLog = least > 0 && least > C.LEAST_POSITIVE * findMedian(newest), values = isLog ? newest.map(Math.log) : newest;
  const found = forecastOnce(network, values, season, horizon, isLog, change[0]);
  const negated = forecastOnce(network, negatedPast, season, horizon, false, change[1]);
  const highest = findLargest(values) + Math.log(C.MOST), last = C.LEVELS.length - 1;
  const mean = (value, other) => ((isLog ? Math.exp(Math.min(value, highest)) : value) - other) / 2;
  const means = found.quantiles.map((step, place) => step.map((value, k) => mean(value, negated.quantiles[place][last - k])));
  const medians = means.map((step) => step[last / 2]), { reverted, factors } = revert(past, season, medians, olderDays);
  const moves = each((value, median) => value - median, reverted, medians);
  const quantiles = means.map((step, place) => step.map((value) => reverted[place] + factors[place] * (value - medians[place])));
  return { quantiles, moves, bases: each(mean, found.bases, negated.bases), isLog, members: [found, negated] };
}

/** Return the forecast of a window of the explorer, with an interval; see `forecast`. */
function forecastFromPast({ isCut, unscale }, network, window, values, change) {
  const [past, days] = [[...window.earlier, ...values.slice(window.padded)], window.days].map((row) => row.map((v) => v - window.zero));
  const { quantiles, moves, bases, members } = forecastPretrained(network, past, network.season, window.actuals.length, change, days);
  const finish = (v) => unscale(isCut ? Math.max(v, 0) + window.zero : v + window.zero);
  const [low, median, high] = [0.1, 0.5, 0.9].map((level) => quantiles.map((step) => finish(step[C.LEVELS.indexOf(level)])));
  return { values: median, bounds: [low, high], linear: bases.map(finish), moves: moves.map((v) => v * window.deviation), members, history: values };
}
