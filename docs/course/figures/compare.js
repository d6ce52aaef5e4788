// LSTM against GRU: the means over five recorded seeds with their intervals, and the difference seed by seed.
const content = decode(document.getElementById("content").textContent);
const TASKS = {
  noisy_sine: "Noisy sine", temperature: "Temperature", adding_100: "Adding problem, 100 steps", adding_200: "Adding problem, 200 steps",
  copy_100: "Copy memory, 100 steps", jsb_chorales: "Music: chorales", nottingham: "Music: folk tunes",
};
const QUANTITIES = {
  test: "Test error", num_recurrent_parameters: "Weights", steps_to_learn: "Steps to learn", seconds_per_epoch: "Seconds per epoch",
};
const MISSING = {
  steps_to_learn: "Only the adding problems count the training steps until the task is learnt.",
  seconds_per_epoch: "Other programs ran during these trainings. Only the seconds of the copy memory can be compared.",
};
const round = (v) => v.toLocaleString("en", { maximumSignificantDigits: 3 }).replace("-", "−");
const choose = (label, options, chosen) => makeSelect(label, Object.entries(options), chosen, draw);
const fields = [choose("Data set", TASKS, location.hash.slice(1) || "jsb_chorales"), choose("Quantity", QUANTITIES)];
const [heading, means, difference] = ["h3", "div", "div"].map((tag) => make(tag));
const result = make("p", { class: "result", "aria-live": "polite" });
document.getElementById("figure").append(make("div", { class: "controls" }, fields), heading, means,
  make("h3", {}, "Difference, LSTM − GRU"), difference, result);

/** Draw means as points, and their intervals as lines; `zero` marks 0. */
function drawIntervals(place, rows, label, zero) {
  const width = Math.max(280, place.clientWidth), left = 170, right = 24, bottom = 44 * rows.length + 2;
  const ends = rows.flatMap(([, { low, mean, high }]) => [low ?? mean, high ?? mean]).concat(zero ? [0] : []);
  const margin = (Math.max(...ends) - Math.min(...ends)) / 20 || 1;
  const [low, high] = [Math.min(...ends) - margin, Math.max(...ends) + margin];
  const x = (v) => left + ((v - low) / (high - low)) * (width - left - right);
  const line = (from, to, top, bottom, more) => make("line", { x1: x(from), x2: x(to), y1: top, y2: bottom, ...more });
  const ticks = findTicks(low, high).filter((_, k) => width > 500 || k % 2 === 0);
  const grid = ticks.flatMap((v) => [line(v, v, 4, bottom, { class: "grid" }),
    make("text", { x: x(v), y: bottom + 18, "text-anchor": "middle" }, round(v))]);
  const drawn = rows.flatMap(([name, { mean, low, high }], k) => [
    make("text", { x: 0, y: 44 * k + 18, style: "fill: var(--text); font-size: 15px" }, `${name} ${round(mean)}`),
    make("text", { x: 0, y: 44 * k + 35 }, low < high ? `${round(low)} to ${round(high)}` : ""),
    line(low ?? mean, high ?? mean, 44 * k + 22, 44 * k + 22, { stroke: "var(--accent)", "stroke-width": 4 }),
    make("circle", { cx: x(mean), cy: 44 * k + 22, r: 6, fill: low < high ? "var(--accent)" : "var(--quiet)" }),
  ]);
  place.replaceChildren(make("svg", { class: "chart", viewBox: `0 0 ${width} ${bottom + 24}`, role: "img", "aria-label": label },
    grid, zero ? line(0, 0, 4, bottom, { class: "cursor" }) : [], drawn));
}

function draw() {
  const [task, quantity] = fields.map((field) => field.querySelector("select").value), { unit, simple, ...found } = content[task];
  heading.textContent = QUANTITIES[quantity] + (quantity === "test" ? `, ${unit}` : "");
  [means, difference].forEach((place) => place.replaceChildren());
  if (!found[quantity]) return result.replaceChildren(MISSING[quantity]);
  const { difference: ofPairs, ...networks } = found[quantity], { low, high } = ofPairs;
  drawIntervals(means, Object.entries({ ...networks, ...(quantity === "test" ? simple : {}) }), "Means with their 95 % intervals");
  drawIntervals(difference, [["Difference", ofPairs]], "Difference with its 95 % interval", true);
  const verdict = low > 0 || high < 0 ? `excludes 0: the ${high < 0 ? "LSTM" : "GRU"} has less` : "contains 0: no difference is shown";
  result.replaceChildren(low < high ? `The interval ${verdict}. Recorded by ` : "The same with each seed. Recorded by ",
    make("code", {}, `benchmarks/compare.py ${task} --seeds 5`));
}
addEventListener("resize", draw);
draw();
