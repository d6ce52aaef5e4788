// The values of a gate at random weights and after training, and what a shift of its bias does to forecasts and memory.
const content = decode(document.getElementById("content").textContent);
const [cell, gate] = (location.hash.slice(1) || "lstm-input").split("-"), { letters, keeping, name } = CELLS[cell];
const NUM_BINS = 25, SHIFTS = Array.from({ length: 17 }, (_, k) => (k - 8) / 2);

/** Return the values of the gate by unit over all windows, and the mean squared error of the forecasts. */
function evaluate({ bias: [b], ...weights }, shift = 0) {
  const gates = Object.keys(letters), size = b.length / gates.length, isShifted = (k) => gates[Math.floor(k / size)] === gate;
  const moved = { ...weights, bias: [b.map((v, k) => (isShifted(k) ? v + shift : v))] };
  const found = content.windows.map((window) => runMember(cell, moved, window.slice(0, -1).map((v) => [v]), []));
  const errors = found.map(({ outputs: [forecast] }, k) => content.windows[k].at(-1) - forecast);
  return { values: column(found.flatMap(({ layers: [records] }) => records), gate), mse: average(errors.map((error) => error ** 2)) };
}

/** Return the share of the values in each of the bins of equal width from 0 to 1. */
function countShares({ values }) {
  const shares = new Array(NUM_BINS).fill(0), all = values.flat();
  for (const v of all) shares[Math.min(NUM_BINS - 1, Math.floor(v * NUM_BINS))] += 1 / all.length;
  return shares;
}

/** The mean squared error if each forecast is the value `lag` steps before. */
const repeat = (lag) => average(content.windows.map((window) => (window.at(-1) - window.at(-1 - lag)) ** 2));
const random = evaluate(content[cell].random), curve = SHIFTS.map((shift) => evaluate(content[cell].trained, shift));
const trained = curve[SHIFTS.indexOf(0)], limit = 3 * repeat(1), [shares, errors] = [make("div"), make("div")];
const table = make("div", { class: "table numbers", "aria-live": "polite" });
let chosen = SHIFTS.indexOf(0);
function update() {
  const now = curve[chosen], level = (v, color, dash, text) => ({ name: `${text}: ${write(v, 3)}`, values: SHIFTS.map(() => v), color, dash });
  const line = (text, one, color, dash, width = 2) => ({ name: text, values: countShares(one), color, dash, width });
  drawChart(shares, [line("random weights", random, "var(--quiet)", "5 4"), line("trained", trained, "var(--accent)"),
    line("trained, bias shifted", now, "var(--new)", "", now === trained ? 0 : 3)],
  { label: "Shares of values", height: 180, names: ["0 (closed)", ...Array(NUM_BINS - 2).fill("0.5"), "1 (open)"] });
  const measure = ({ values }) => values.map(measureHalfLife).sort((a, b) => a - b), numUnits = trained.values.length;
  const halfLives = gate === keeping ? [["shortest half-life", 0], ["longest", numUnits - 1]] : [];
  table.replaceChildren(tabulate(["weights", "mean of the gate", "mean squared error", ...halfLives.map(([text]) => text)],
    Object.entries({ random, trained, shifted: now }).map(([text, one]) => [text, write(average(one.values.flat())), write(one.mse, 3),
      ...halfLives.map(([, unit]) => write(measure(one)[unit], 1))]), `${name}, ${gate} gate ${letters[gate]}`));
  drawChart(errors, [level(repeat(1), "var(--bad)", "2 3", "last value"), level(repeat(24), "var(--quiet)", "6 4", "value of a period before"),
    { name: `${name} by shift, cut at ${write(limit)}`, values: curve.map(({ mse }) => Math.min(mse, limit)), color: "var(--new)" }],
  { label: "Mean squared error by shift", height: 180, cursor: chosen, names: SHIFTS.map((v) => write(v, 1).trim()) });
}

const range = { min: SHIFTS[0], max: SHIFTS.at(-1), step: 0.5, value: 0 }, title = (text) => make("strong", {}, text);
document.getElementById("figure").append(make("div", { class: "controls" },
  slide(`Shift of the bias of the ${gate} gate ${letters[gate]}`, range, (v) => { chosen = SHIFTS.indexOf(v); update(); })),
title("Shares of the gate’s values over units, steps and windows"), shares, table, title("Mean squared error on test windows"), errors);
update();
addEventListener("resize", update);
