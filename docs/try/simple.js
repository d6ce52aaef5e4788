// The simple methods beside the network: the seasonal naive forecast, and Theta as in forecast/methods/local/theta.py.
// The phase of a step from the end, which has phase 0.
const wrapStep = (step, season) => ((step % season) + season) % season;

// The newest value of the same season, or the newest value.
const extendNaive = (past, season, horizon) =>
  range(horizon).map((step) => past[past.length - season + (step % season)] ?? past[past.length - 1]);

function extendTheta(past, season, horizon) {
  const { factors, terms } = findSeason(past, season);
  const phases = past.map((_, place) => wrapStep(place - past.length, season));
  const without = past.map((value, place) => (value - terms[phases[place]]) / factors[phases[place]]);
  return smooth(without, horizon).map((value, step) => value * factors[step % season] + terms[step % season]);
}

//  level ← level + α (x − level),   x̂ₕ = level + b/2 (h − 1 + (1 − (1 − α)ⁿ) / α),   b the slope of a line through x
function smooth(past, horizon) {
  const centre = (past.length - 1) / 2, squares = sum(past.map((_, step) => (step - centre) ** 2));
  const halfSlope = sum(past.map((value, step) => (step - centre) * value)) / (squares || 1) / 2;
  const found = C.ALPHAS.map((alpha) => {
    const growth = (steps) => (1 - (1 - alpha) ** steps) / alpha;
    let level = past[0], loss = 0;
    past.forEach((value, step) => {
      const change = value - level;
      loss += (change - halfSlope * growth(step)) ** 2;
      level += alpha * change;
    });
    return { level, loss, drift: growth(past.length) };
  });
  const best = found.reduce((first, next) => (next.loss < first.loss ? next : first));
  return range(horizon).map((step) => best.level + halfSlope * (step + best.drift));
}

// Factors and terms of each phase, shrunk by their noise as in forecast/methods/local/season.py; phase 0 comes next.
function findSeason(past, season) {
  const none = { factors: new Array(season).fill(1), terms: new Array(season).fill(0) };
  if (season === 1 || past.length < 2 * season) return none;
  const edge = season >> 1, side = season % 2 ? 1 : 0.5;
  const weights = range(2 * edge + 1).map((place) => (place % (2 * edge) ? 1 : side) / season);
  const means = range(past.length - 2 * edge).map((first) => sum(weights.map((weight, place) => weight * past[first + place])));
  const inner = past.slice(edge, past.length - edge);
  const changes = findDifferences(past, 1).slice(1), change = average(changes);
  const noise = average(changes.map((value) => (value - change) ** 2)) / 2;
  if (past.every((value) => value > 0)) {
    const ratios = shrink(inner.map((value, place) => value / means[place]), edge, season, noise / average(past) ** 2);
    const factors = ratios.map((ratio) => 1 + ratio);
    if (factors.every((factor) => factor > C.MIN_FACTOR)) return { ...none, factors };
  }
  const terms = shrink(inner.map((value, place) => value - means[place]), edge, season, noise);
  return terms.every(Number.isFinite) ? { ...none, terms } : none;
}

function shrink(values, edge, season, noiseOfFew) {
  const places = values.map((_, place) => wrapStep(place - values.length - edge, season));
  const byPhase = range(season).map((phase) => values.filter((_, place) => places[place] === phase));
  const phases = byPhase.map((own) => (own.length ? average(own) : NaN)), mean = sum(phases) / season;
  const squares = sum(values.map((value, place) => (value - phases[places[place]]) ** 2));
  const isFew = values.length < C.MIN_VALUES_PER_PHASE * season;
  const noise = isFew ? noiseOfFew : squares / Math.max(values.length - season, 1);
  const signal = sum(phases.map((phase) => (phase - mean) ** 2)) / season;
  const chance = signal > 0 ? noise / Math.max(values.length / season, 1) / signal : 0;
  return phases.map((phase) => Math.min(Math.max(1 - chance, 0), 1) * (phase - mean));
}
