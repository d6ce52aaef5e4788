// The pretrained network: names, order and equations of forecast/pretrained/reading.py and network.py, for one series
// without missing values. CONSTANTS and NETWORKS come from the package.
const C = CONSTANTS;
const range = (count, first = 0) => Array.from({ length: count }, (_, place) => first + place);
const sum = (values) => values.reduce((total, value) => total + value, 0);
const average = (values) => {
  const found = values.filter((value) => !Number.isNaN(value));
  return sum(found) / Math.max(found.length, 1);
};
const findMedian = (values) => {
  const sorted = Float64Array.from(values).sort(), last = sorted.length - 1;
  return (sorted[last >> 1] + sorted[(last + 1) >> 1]) / 2;
};
const findLargest = (values) => values.reduce((most, value) => Math.max(most, value), -Infinity);
const clip = (value) => Math.min(Math.max(value, -C.LARGEST), C.LARGEST);
const asNumbers = (parts) => Float64Array.from(parts, (part) => +part || 0); // 0 for NaN and false
const sigmoid = (value) => 1 / (1 + Math.exp(-value));
const softplus = (value) => Math.max(value, 0) + Math.log1p(Math.exp(-Math.abs(value)));
const relu = (values) => values.map((value) => Math.max(value, 0));
const add = (left, right) => left.map((value, place) => value + right[place]);

// inputs × kernel + bias, the kernel in rows of [inputs, outputs].
function multiply(inputs, kernel, bias) {
  const width = bias.length, outputs = Float64Array.from(bias);
  for (let row = 0, place = 0; row < inputs.length; row++)
    for (let column = 0; column < width; column++, place++) outputs[column] += inputs[row] * kernel[place];
  return outputs;
}

// float32, little-endian, in base 64.
const readWeights = (text) => new Float32Array(Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0)).buffer);
const mapValues = (object, change) =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
const networks = mapValues(NETWORKS, (arrays) => mapValues(arrays, readWeights));

// The value less the one `lag` steps before, NaN without one.
const findDifferences = (past, lag) => past.map((value, place) => (place < lag ? NaN : value - past[place - lag]));
function findUnit(changes, seasonal) {
  const [change, seasonalChange] = [changes, seasonal].map((own) => average(own.map(Math.abs)));
  return (seasonalChange > C.LEAST_PART * change ? seasonalChange : change) || C.UNIT_OF_CONSTANTS;
}
const findPhase = (step, season) =>
  season > 1 ? [Math.sin, Math.cos].map((turn) => turn((2 * Math.PI * step) / season)) : [0, 0];

// What the network reads of the past: the sequence, facts about the series, and each step ahead.
function readPast(past, season, horizon, isLog) {
  const steps = [findDifferences(past, 1), findDifferences(past, season)], unit = findUnit(...steps);
  const zero = average(past.slice(-(season > 1 ? season : C.NUM_NEWEST)));
  const scaled = past.map((value) => clip((value - zero) / unit));
  const [changes, seasonal] = steps.map((step) => step.map((value) => clip(value / unit)));
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
  const mean = average(values), spread = Math.sqrt(average(values.map((value) => (value - mean) ** 2)));
  const isSame = changes.map((change) => (Number.isNaN(change) ? NaN : +(change === 0)));
  return asNumbers([
    Math.log(season) / 3, Math.log(values.length) / 3, isLog, season === 1,
    values.length < 2 * season, values.length < season,
    Math.log(spread + 1e-3), Math.log(findLargest(values.map(Math.abs)) + 1e-3),
    Math.log(average(changes.map(Math.abs)) + 1e-3), Math.asinh(average(changes)),
    Math.asinh(average(seasonal.slice(-season))), average(isSame),
  ]);
}

function readAhead(values, season, step) {
  const last = values[values.length - 1], long = C.LONG_SEASONS[season];
  const findLag = (length, back, shift = 0) =>
    values[values.length - back * length + ((step + shift + length) % length)] ?? NaN;
  const lags = range(C.MAX_SEASONS, 1).map((back) => (season > 1 ? findLag(season, back) : NaN));
  const before = season > 1 ? (findLag(season, 1, -1) + findLag(season, 1, 1)) / 2 : NaN;
  const ofLong = long ? findLag(long, 1) : NaN, base = Number.isNaN(lags[0]) ? last : lags[0];
  const mean = lags.every(Number.isNaN) ? NaN : average(lags);
  const inputs = asNumbers([
    Math.asinh(base), Math.asinh(last - base),
    ...[lags[1], lags[2], ofLong].flatMap((lag) => [Math.asinh(lag - base), !Number.isNaN(lag)]),
    Math.asinh(mean - base), Math.asinh(before - base),
    Math.log(step + 1), season > 1 ? (step + 1) / season / 4 : (step + 1) / 8, ...findPhase(step + 1, season),
  ]);
  return { base, inputs };
}

const split = (values, units) =>
  range(values.length / units).map((part) => values.subarray(part * units, (part + 1) * units));
// The state of a cell after a step, and its gates. The columns of the weights have Keras' order.
const STEPS = {
  //  z = σ(x W_z + b_z + h U_z + d_z),   r = σ(x W_r + b_r + h U_r + d_r)
  //  g = tanh(x W_g + b_g + r · (h U_g + d_g)),   h' = z · h + (1 − z) · g
  gru(x, { hidden: h }, { cell_0: W, cell_1: U, cell_2: bias }) {
    const [b, d] = split(bias, bias.length / 2);
    const [x_z, x_r, x_g] = split(multiply(x, W, b), h.length), [h_z, h_r, h_g] = split(multiply(h, U, d), h.length);
    const z = add(x_z, h_z).map(sigmoid), r = add(x_r, h_r).map(sigmoid);
    const g = x_g.map((value, unit) => Math.tanh(value + r[unit] * h_g[unit]));
    const hidden = h.map((value, unit) => z[unit] * value + (1 - z[unit]) * g[unit]);
    return { state: { hidden }, gates: { update: z, reset: r } };
  },
  //  i, f, o = σ(x W + h U + b),   g = tanh(x W_g + h U_g + b_g),   c' = f · c + i · g,   h' = o · tanh c'
  lstm(x, { hidden: h, cell: c = new Float64Array(h.length) }, { cell_0: W, cell_1: U, cell_2: b }) {
    const [a_i, a_f, a_g, a_o] = split(multiply(h, U, multiply(x, W, b)), h.length);
    const [i, f, o] = [a_i, a_f, a_o].map((gate) => gate.map(sigmoid)), g = a_g.map(Math.tanh);
    const cell = c.map((value, unit) => f[unit] * value + i[unit] * g[unit]);
    const hidden = cell.map((value, unit) => o[unit] * Math.tanh(value));
    return { state: { hidden, cell }, gates: { input: i, forget: f, output: o } };
  },
};

function traceGates(cell, read) {
  const weights = networks[cell], units = weights.state_kernel.length / weights.first_bias.length;
  let state = { hidden: new Float64Array(units) };
  const gates = read.sequence.map((x) => {
    const after = STEPS[cell](x, state, weights);
    state = after.state;
    return after.gates;
  });
  return { hidden: state.hidden, gates };
}

//  a = relu(s S + static T + ahead A + b),   a' = relu(a R + r) + a,   o = a' O + q
function computeHead(weights, read, hidden) {
  const ofStatic = multiply(read.static, weights.static_kernel, weights.first_bias);
  const ofWindow = multiply(hidden, weights.state_kernel, ofStatic);
  return read.ahead.map(({ inputs }) => {
    const first = relu(multiply(inputs, weights.ahead_kernel, ofWindow));
    const second = relu(multiply(first, weights.second_kernel, weights.second_bias));
    return multiply(add(second, first), weights.output_kernel, weights.output_bias);
  });
}

//  median = base + σ o₀,   quantiles = median ∓ σ Σ zₖ softplus(oₖ + c),   σ = .8 √(1 + step / 6)
function findQuantiles(output, step, base) {
  const spread = 0.8 * Math.sqrt(1 + (step + 1) / 6), median = base + spread * output[0];
  const parts = C.DISTANCES.concat(C.DISTANCES).map((part, k) => part * softplus(output[k + 1] + C.SOFTPLUS_OF_ONE));
  const reach = (own, sign) => own.map((_, k) => median + sign * spread * sum(own.slice(0, k + 1)));
  return [...reach(parts.slice(0, parts.length / 2), -1).reverse(), median, ...reach(parts.slice(parts.length / 2), 1)];
}

function forecastOnce(cell, past, season, horizon, isLog) {
  const read = readPast(past, season, horizon, isLog), { hidden, gates } = traceGates(cell, read);
  const quantiles = computeHead(networks[cell], read, hidden).map((output, step) =>
    findQuantiles(output, step, read.ahead[step].base).map((value) => value * read.unit + read.zero));
  return { gates, quantiles };
}

// The mean of the forecast of the logarithms, or of the values if one is near 0, and of the negated values, negated.
// Returns the quantiles at C.LEVELS of each step ahead, and the gates of the first of the two at each step read.
function forecast(cell, past, season, horizon) {
  const negatedPast = past.map((value) => -value), least = -findLargest(negatedPast);
  const isLog = least > 0 && least > C.LEAST_POSITIVE * findMedian(past), values = isLog ? past.map(Math.log) : past;
  const { gates, quantiles: found } = forecastOnce(cell, values, season, horizon, isLog);
  const highest = findLargest(values) + Math.log(C.MOST), last = C.LEVELS.length - 1;
  const raise = (value) => (isLog ? Math.exp(Math.min(value, highest)) : value);
  const negated = forecastOnce(cell, negatedPast, season, horizon, false).quantiles;
  const mean = found.map((step, place) => step.map((value, k) => (raise(value) - negated[place][last - k]) / 2));
  return { quantiles: mean, gates, isLog };
}
