// From the values of a window to its forecast: the normalisation, the linear forecast, and the network's inputs.
// The equations are those of `forecast/methods/normalization.py`, `predictors.py` and `networks/network.py`.
const LOG_OFFSET = 0.05, MIN_SPREAD_PART = 0.02, USUAL_LOG_SPREAD = 0.1, MAX_NORMALIZED = 30;
const clip = (v) => Math.max(-MAX_NORMALIZED, Math.min(MAX_NORMALIZED, v));
const meanDistance = (row, from) => average(row.map((v) => Math.abs(v - from)));

/** The mean absolute difference from the season before; 0 for a window of one season. */
function measureChange(values, season) {
  return values.length > season ? average(values.slice(season).map((v, k) => Math.abs(v - values[k]))) : 0;
}

/** Return zero, level, centre and spread of a window of scaled values: `measure_units`. */
function measureUnits(kind, season, values, zeroOfSeries, isNegative) {
  if (kind === "series") return { zero: 0, level: 1, centre: 0, spread: 1, isLog: false };
  const newest = values.slice(-season);
  if (kind === "window") {
    const spread = measureChange(values, season) + MIN_SPREAD_PART * meanDistance(values, zeroOfSeries);
    return { zero: 0, level: 1, centre: average(newest), spread: spread > 0 ? spread : 1, isLog: false };
  }
  let zero = zeroOfSeries;
  if (isNegative) {
    const middle = average(newest), usual = measureChange(values, season) / USUAL_LOG_SPREAD;
    zero = middle - Math.max(meanDistance(newest, zero), usual, middle - Math.min(...values));
  }
  const level = meanDistance(newest, zero) || 1;
  const logs = values.map((v) => Math.log(Math.max((v - zero) / level, 0) + LOG_OFFSET));
  const change = measureChange(logs, season);
  const spread = Math.sqrt((change + MIN_SPREAD_PART) / (USUAL_LOG_SPREAD + MIN_SPREAD_PART));
  return { zero, level, centre: average(logs.slice(-season)), spread, isLog: true };
}

function normalize(units, value) {
  const ratio = (value - units.zero) / units.level;
  return ((units.isLog ? Math.log(Math.max(ratio, 0) + LOG_OFFSET) : ratio) - units.centre) / units.spread;
}

function denormalize(units, value) {
  const shaped = value * units.spread + units.centre;
  return (units.isLog ? Math.exp(shaped) - LOG_OFFSET : shaped) * units.level + units.zero;
}

/** Return the inputs of the network at each step and of its head: `read_windows`. */
function readInputs(network, window, units, history) {
  const { segment, calendar, embedding } = network, middle = average(history);
  const channels = history.map((v, t) => [
    ...(embedding ? [v] : [v - middle, v, ...calendar.map((number) => window.calendar[t][number])]),
    ...window.static, ...window.varying[t].map((value) => clip(value / units.spread)),
  ]);
  const missing = Math.ceil(channels.length / segment) * segment - channels.length;
  const rows = [...Array.from({ length: missing }, () => channels[0].map(() => 0)), ...channels];
  const steps = Array.from({ length: rows.length / segment }, (_, k) => rows.slice(k * segment, (k + 1) * segment).flat());
  if (embedding) steps.forEach((step, k) => step.push(Number(k * segment >= window.padded + missing)));
  return { steps, head: [...(embedding ? window.head : []), ...window.future.map((value) => clip(value / units.spread))] };
}

/** Return the forecast of a window in the unit of the data, and the records of the network's layers.
 *
 * @param values  of the window, scaled.
 * @param change  see `runNetwork`.
 */
function forecast(page, network, window, values, change = []) {
  const isNegative = window.isNegative || values.some((v) => v < window.zero);
  const isCut = page.nonNegative === "auto" ? !isNegative : page.nonNegative, unscale = (v) => v * window.deviation + window.mean;
  if (network.base) return forecastFromPast({ isCut, unscale }, network, window, values, change);
  const units = measureUnits(page.kind, page.season, values, window.zero, isNegative);
  const history = values.map((v) => normalize(units, v));
  const seasonal = window.lags.map((lag, k) => normalize(units, lag <= values.length ? values.at(-lag) : window.seasonal[k]));
  const covariates = window.covariates.map((value) => clip(value / units.spread));
  const linear = times([...history, ...seasonal, ...covariates, ...window.static, ...window.free], network.linear);
  const { steps, head } = readInputs(network, window, units, history);
  const { outputs, members } = runNetwork(network, steps, head, change);
  const finish = (v) => unscale(Math.max(denormalize(units, v), isCut ? window.zero : -Infinity));
  return {
    values: each((l, o) => finish(l + network.shrinkage * o), linear, outputs),
    linear: linear.map(finish), outputs, members, history,
  };
}

/** Return the change of the first step's forecast if a value of the window rises by 1, for each value. */
function differentiate(page, network, window, values, change = [], size = 1e-4) {
  // The long memory does not change the first step, so that the pretrained network forecasts no other one.
  const first = network.base ? { ...window, actuals: window.actuals.slice(0, 1) } : window;
  const move = (k, by) => forecast(page, network, first, values.map((v, t) => (t === k ? v + by : v)), change).values[0];
  return values.map((_, k) => (move(k, size) - move(k, -size)) / (2 * size * window.deviation));
}

/** Return the share of the state after each step that is left at the end: the product of the later gates. */
function measureCarried(gates) {
  let share = 1;
  return gates.slice(1).reverse().map((gate) => (share *= gate)).reverse().concat(1);
}
