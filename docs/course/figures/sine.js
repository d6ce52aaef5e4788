// An LSTM or a GRU learns a sine with noise, beside simple forecasts. The noise is that of the Keras run on the page.
const content = decode(document.getElementById("content").textContent);
const UNITS = 8, TEST = 80, BATCH = 32, EPOCHS = 100, PERIOD = 63, SEED = 1;
const figure = document.getElementById("figure");
const choose = (label, options, chosen) => makeSelect(label, Object.entries(options), chosen, start);
const fields = {
  cell: choose("Network", { lstm: "LSTM(8)", gru: "GRU(8)" }, location.hash.slice(1) || "lstm"),
  noise: choose("Noise", { 0: "none", 0.1: "0.1", 0.3: "0.3" }, "0.1"),
  lookback: choose("Lookback", { 2: "2 steps", 5: "5 steps", 10: "10 steps", 20: "20 steps", 40: "40 steps" }, "20"),
  rate: choose("Learning rate", { 0.001: "0.001", 0.003: "0.003", 0.01: "0.01", 0.03: "0.03" }, "0.01"),
};
const button = make("button", { style: "min-width: 6em", click: () => (run.going ? stop() : train()) }, "Train");
const [loss, forecast] = [make("div"), make("div")], numbers = make("table", { class: "numbers" });
const result = make("p", { class: "result", "aria-live": "polite" });
const place = (title, ...parts) => make("div", { style: "flex-basis: 300px" }, make("h3", {}, title), ...parts);
figure.append(
  make("div", { class: "controls" }, Object.values(fields), button, make("button", { click: start }, "Start again")),
  make("div", { class: "side" }, place("Test error after each epoch, as a power of ten", loss, numbers),
    place("Test part, one step ahead", forecast, result)));
let run;

const meanSquare = (values, actual) => average(each((v, a) => (v - a) ** 2, values, actual));

/** Draw first weights, and measure the simple forecasts. */
function start() {
  const [cell, ...settings] = Object.values(fields).map((field) => field.querySelector("select").value);
  const [noise, lookback, rate] = settings.map(Number), random = makeRandom(SEED);
  const values = content.noise.map((v, k) => Math.sin(k / 10) + noise * v);
  const rows = values.slice(lookback).map((_, k) => values.slice(k, k + lookback)), targets = values.slice(lookback);
  const actual = values.slice(-TEST), windows = rows.slice(-TEST), weights = drawWeights(cell, 1, UNITS, random);
  const ridge = fitRidge(rows.slice(0, -TEST), targets.slice(0, -TEST), 0.001), zero = mapWeights(() => 0, weights);
  const simple = {
    "last value": windows.map((row) => row.at(-1)), "seasonal naive": values.slice(-TEST - PERIOD, -PERIOD),
    "linear regression": windows.map((row) => dot(row, ridge)),
  };
  const errors = Object.fromEntries(Object.entries(simple).map(([name, found]) => [name, meanSquare(found, actual)]));
  const floor = meanSquare(content.noise.slice(-TEST).map((v) => noise * v), actual.map(() => 0));
  run = { cell, rate, random, rows: rows.map((row) => row.map((v) => [v])), targets, actual, simple, errors, floor, losses: [], order: [],
    name: CELLS[cell].name + `(${UNITS})`, going: false, state: { weights, mean: zero, square: zero, steps: 0 } };
  stop();
}

/** Learn from one mini-batch, and measure the test part after each epoch. */
function learn() {
  const { cell, rows, targets, state, rate, random } = run;
  if (!run.order.length) run.order = targets.slice(0, -TEST).map((_, k) => [random(), k]).sort(([a], [b]) => a - b).map(([, k]) => k);
  const batch = run.order.splice(0, BATCH);
  const { gradients } = findGradients(cell, state.weights, batch.map((k) => rows[k]), batch.map((k) => targets[k]));
  run.state = stepAdam(state, gradients, rate);
  if (!run.order.length) measure();
}

/** Learn from one mini-batch before each picture of the screen. */
function train() {
  if (run.losses.length > EPOCHS) start();
  const own = run;
  own.going = true;
  button.textContent = "Pause";
  result.textContent = `${own.name} learns from one mini-batch of ${BATCH} windows at a time.`;
  requestAnimationFrame(function frame() {
    if (run !== own || !own.going) return;
    learn();
    if (own.losses.length > EPOCHS) stop();
    else requestAnimationFrame(frame);
  });
}

/** Stop, and say how the network compares. */
function stop() {
  run.going = false;
  button.textContent = "Train";
  if (!run.losses.length) measure();
  const error = run.losses.at(-1), [best, least] = Object.entries(run.errors).reduce((a, b) => (b[1] < a[1] ? b : a));
  const [own, simple] = [error, least].map((v) => write(v, 5).trim());
  result.textContent = `After ${run.losses.length - 1} epochs, ${run.name} has a mean squared error of ${own}. The best simple forecast, ` +
    `the ${best}, has ${simple}. The ${error < least ? "network" : "simple forecast"} is better.`;
}

function measure() {
  run.network = run.rows.slice(-TEST).map((window) => runMember(run.cell, run.state.weights, window, []).outputs[0]);
  run.losses.push(meanSquare(run.network, run.actual));
  draw();
}

function draw() {
  const power = (v) => Math.log10(Math.max(v, 1e-6)), epochs = Array.from({ length: EPOCHS + 1 }, (_, k) => k);
  const colors = ["var(--quiet)", "var(--bad)", "var(--new)"];
  const level = ([name, error], k) => ({ name, color: colors[k], dash: "5 3", values: epochs.map(() => power(error)) });
  drawChart(loss, [...Object.entries(run.errors).map(level), { name: run.name, color: "var(--accent)", values: run.losses.map(power) }],
    { label: "Mean squared error of the test part by epoch, as a power of ten", names: epochs });
  drawChart(forecast, [{ name: "value", color: "var(--quiet)", marks: true, values: run.actual },
    { name: "linear regression", color: "var(--new)", dash: "5 3", values: run.simple["linear regression"] },
    { name: run.name, color: "var(--accent)", values: run.network }],
    { label: "Values and forecasts of the test part", names: run.actual.map((_, k) => content.noise.length - TEST + k), height: 300 });
  const all = { [run.name]: run.losses.at(-1), ...run.errors, "noise alone": run.floor };
  numbers.replaceChildren(make("tr", {}, make("th", {}, `epoch ${run.losses.length - 1}`), make("th", {}, "mean squared error")),
    ...Object.entries(all).map(([name, error]) => make("tr", {}, make("td", {}, name), make("td", {}, write(error, 5)))));
}
addEventListener("resize", draw);
start();
