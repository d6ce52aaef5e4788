// The long memory: names, order and equations of forecast/pretrained/memory.py, for one series without missing values.
// C, its constants, comes from the page.
const isKnown = (value) => !Number.isNaN(value);
const averageOrNone = (values) => average(values.filter(isKnown)); // NaN for none

/** Return the steps of a day for a season of a day or a week; 0 for other seasons. */
function countStepsOfDay(season) {
  if (!(season in C.LONG_SEASONS)) return 0;
  return season === C.DAYS_OF_WEEK ? 1 : season;
}

function findMemoryLength(season, horizon) {
  const steps = countStepsOfDay(season);
  if (steps === 0 || horizon <= season) return 0;
  return horizon > C.DAYS_OF_WEEK * steps ? C.MAX_DAYS * steps : C.MAX_VALUES;
}

/** Return the forecast with the long memory, and the factor of the distances of its quantiles, of each step.
 *
 * @param olderDays  the means of whole days before the past, newest last; a day of the past that is not whole is theirs.
 */
function revert(past, season, forecast, olderDays = []) {
  const horizon = forecast.length, steps = countStepsOfDay(season);
  const factors = forecast.map(() => 1);
  if (steps === 0 || horizon <= season) return { reverted: forecast, factors };
  let reverted = forecast;
  if (steps > 1) reverted = applyReversion(revertToCourse(past.slice(-C.MAX_VALUES), season, horizon), reverted);
  if (horizon > C.DAYS_OF_WEEK * steps) {
    const days = [...olderDays, ...averageSeasons(past, steps)].slice(-C.MAX_DAYS);
    const reversion = revertToYear(days, steps, horizon);
    reverted = applyReversion(reversion, reverted);
    reversion.weight.forEach((weight, step) => { if (isKnown(reversion.profile[step])) factors[step] = 1 - C.NARROWING * weight; });
  }
  return { reverted, factors };
}

//  ŷ ← ŷ + w (p − m)
function applyReversion({ weight, profile, numSteps }, forecast) {
  const means = averageDays(forecast, numSteps);
  return forecast.map((value, step) => (isKnown(profile[step]) ? value + weight[step] * (profile[step] - means[step]) : value));
}

function revertToCourse(past, season, horizon) {
  const week = C.LONG_SEASONS[season], length = past.length >= C.MIN_WEEKS * week ? week : season;
  const profile = averageCourse(past, length, horizon, (C.HALF_LIFE * week) / length), means = averageSeasons(past, season);
  const longMeans = sumUp(means).slice(1).map((total, place) => total / (place + 1));
  const gaps = means.map((mean, place) => (place + 1 >= C.MIN_SEASONS ? longMeans[place] - mean : NaN));
  const delay = season >> 1, numAhead = Math.ceil((horizon - delay) / season), weights = new Array(numAhead).fill(0);
  for (let ahead = 1; ahead <= Math.min(numAhead, means.length - C.MIN_SEASONS); ahead++) {
    const changes = means.slice(ahead).map((mean, place) => mean - means[place]);
    const weight = fitWeight(gaps.slice(0, -ahead), changes, gaps.at(-1), C.PENALTY * ahead);
    // The weight of the last season ahead of which some gaps are known stays for those after it.
    if (means.length - ahead >= C.MIN_SEASONS + 2) weights.fill(weight, ahead - 1);
  }
  const weight = range(horizon).map((step) => (step < delay ? 0 : weights[Math.floor((step - delay) / season)]));
  return { weight, profile, numSteps: 1 };
}

function revertToYear(known, steps, horizon) {
  const numAhead = Math.ceil(horizon / steps), weights = new Array(numAhead).fill(0);
  const days = [...new Array(C.MAX_DAYS - known.length).fill(NaN), ...known];
  const smoothed = smoothDays(days), means = averageWeeks(days);
  const ofYears = averageYears(smoothed, range(numAhead, C.MAX_DAYS));
  // The level of a year has no weekdays.
  const ofWeek = averageCourse(known, C.DAYS_OF_WEEK, numAhead, Infinity), mean = average(known);
  const ofDays = steps === 1 ? ofYears.map((level, day) => level + ofWeek[day] - mean) : ofYears;
  const compared = range(C.COMPARED_DAYS, C.MAX_DAYS - C.COMPARED_DAYS), levels = averageYears(smoothed, compared);
  if (known.length >= C.MIN_DAYS)
    for (let first = C.DAYS_OF_WEEK; first < numAhead; first += C.DAYS_OF_WEEK) {
      const older = compared.map((day) => means[day - Math.min(first, C.COMPARED_DAYS)]);
      const gaps = levels.map((level, place) => level - older[place]);
      const changes = older.map((value, place) => means[compared[place]] - value);
      const newestGap = averageOrNone(ofDays.slice(first - C.DAYS_OF_WEEK, first)) - means.at(-1);
      weights.fill(fitWeight(gaps, changes, newestGap, C.YEAR_PENALTY), first, first + C.DAYS_OF_WEEK);
    }
  const [weight, profile] = [weights, ofDays].map((part) => range(horizon).map((step) => part[Math.floor(step / steps)]));
  return { weight, profile, numSteps: steps };
}

//  w = Σ g Δ / (Σ g² + k g₀²), limited to [0, 1]
function fitWeight(gaps, changes, newestGap, penalty) {
  const found = range(gaps.length).filter((place) => isKnown(gaps[place] + changes[place]));
  const scale = sum(found.map((place) => gaps[place] ** 2)) + penalty * newestGap ** 2;
  const slope = sum(found.map((place) => gaps[place] * changes[place])) / (scale > 0 ? scale : 1);
  return Math.min(Math.max(slope, 0), 1) || 0;
}

function averageSeasons(past, season) {
  const number = Math.floor(past.length / season), first = past.length - number * season;
  return range(number).map((place) => average(past.slice(first + place * season, first + (place + 1) * season)));
}

function averageCourse(past, length, horizon, halfLife) {
  const means = range(Math.min(length, horizon)).map((step) => {
    let total = 0, of = 0;
    for (let place = past.length - length + step, age = 0; place >= 0; place -= length, age++) {
      const weight = 0.5 ** (age / halfLife);
      total += weight * past[place];
      of += weight;
    }
    return of > 0 ? total / of : NaN;
  });
  return range(horizon).map((step) => means[step % length]);
}

function averageYears(smoothed, places) {
  // The running mean of the newest days does not know all of its days.
  const newest = smoothed.length - C.DAYS_OF_WEEK;
  return places.map((place) => averageOrNone(range(C.MAX_YEARS, 1).map((years) => place - C.DAYS_OF_YEAR * years)
    .filter((before) => before >= 0 && before < newest).map((before) => smoothed[before])));
}

const averageWeeks = (days) => sumDays(days, C.DAYS_OF_WEEK, 0).map(([total, count]) => (count === C.DAYS_OF_WEEK ? total / count : NaN));
const smoothDays = (days) => sumDays(days, C.SMOOTHED_DAYS, C.SMOOTHED_DAYS >> 1)
  .map(([total, count], day) => (isKnown(days[day]) ? total / count : NaN));

/** Return sum and count of the known days among `number` days, the newest of them `numLater` days later. */
function sumDays(days, number, numLater) {
  const padded = [...new Array(number - numLater - 1).fill(NaN), ...days, ...new Array(numLater).fill(NaN)];
  const sums = sumUp(asNumbers(padded)), counts = sumUp(padded.map((day) => +isKnown(day)));
  return days.map((_, day) => [sums, counts].map((own) => own[day + number] - own[day]));
}

/** Return the sums of the values before each place, and of all. */
function sumUp(values) {
  const sums = [0];
  values.forEach((value, place) => sums.push(sums[place] + value));
  return sums;
}

/** Return the mean of each step's day; that of the last day of its newest steps. */
function averageDays(forecast, numSteps) {
  if (numSteps === 1) return forecast;
  const sums = sumUp(forecast);
  return forecast.map((_, step) => {
    const start = Math.min(step - (step % numSteps), forecast.length - numSteps);
    return (sums[start + numSteps] - sums[start]) / numSteps;
  });
}
