// The values of a gate at random weights and after training, and what a shift of its bias does to forecasts and memory.
const content = decode(document.getElementById("content").textContent);
const [cell, gate] = (location.hash.slice(1) || "lstm-input").split("-"), { letters, keeping, name } = CELLS[cell];
const NUM_BINS = 25, SHIFTS = Array.from({ length: 17 }, (_, k) => (k - 8) / 2);

/** Return the values of the gate by unit over all windows, and the mean squared error of the forecasts. */
function evaluate({ bias: [b], ...weights }, shift = 0) {
  const gates = Object.keys(letters), size = b.length / gates.length, isShifted = (k) => gates[Math.floor(k / size)] === gate;
  const moved = { ...weights, bias: [b.map((v, k) => (isShifted(k) ? v + shift : v))] };
  const found = content.windows.map((window) => runMember(cell, moved, window.slice(0, -1).map((v) => [v]), []));
  const mse = average(found.map(({ outputs: [forecast] }, k) => (content.windows[k].at(-1) - forecast) ** 2));
  return { values: column(found.flatMap(({ layers: [records] }) => records), gate), mse };
}

/** Return the share of the values in each of the bins of equal width from 0 to 1. */
function countShares({ values }) {
  const bins = values.flat().map((v) => Math.min(NUM_BINS - 1, Math.floor(v * NUM_BINS)));
  return Array.from({ length: NUM_BINS }, (_, k) => bins.filter((bin) => bin === k).length / bins.length);
}

/** The mean squared error if each forecast is the value `lag` steps before. */
const repeat = (lag) => average(content.windows.map((window) => (window.at(-1) - window.at(-1 - lag)) ** 2));
const random = evaluate(content[cell].random), curve = SHIFTS.map((shift) => evaluate(content[cell].trained, shift));
const trained = curve[SHIFTS.indexOf(0)], limit = 3 * repeat(1), [shares, errors] = [make("div"), make("div")];
const table = make("div", { class: "table numbers", "aria-live": "polite" });
let chosen = SHIFTS.indexOf(0);
function update() {
  const now = curve[chosen], constant = (v) => SHIFTS.map(() => v);
  const line = (text, one, color, dash, width = 2) => ({ name: text, values: countShares(one), color, dash, width });
  drawChart(shares, [line("random weights", random, "var(--quiet)", "5 4"), line("trained", trained, "var(--accent)"),
    line("trained, bias shifted", now, "var(--new)", "", now === trained ? 0 : 3)],
  { label: "Shares of values", height: 180, names: ["0 (closed)", ...Array(NUM_BINS - 2).fill("0.5"), "1 (open)"] });
  const halfLives = gate === keeping ? [["shortest half-life", Math.min], ["longest", Math.max]] : [];
  table.replaceChildren(tabulate(["weights", "mean of the gate", "mean squared error", ...halfLives.map(([text]) => text)],
    Object.entries({ random, trained, shifted: now }).map(([text, one]) => [text, write(average(one.values.flat())), write(one.mse, 3),
      ...halfLives.map(([, choose]) => write(choose(...one.values.map(measureHalfLife)), 1))]), `${name}, ${gate} gate ${letters[gate]}`));
  drawChart(errors, [{ name: `last value: ${write(repeat(1), 3)}`, values: constant(repeat(1)), color: "var(--bad)", dash: "2 3" },
    { name: `value of a period before: ${write(repeat(24), 3)}`, values: constant(repeat(24)), color: "var(--quiet)", dash: "6 4" },
    { name: `${name} by shift, cut at ${write(limit)}`, values: curve.map(({ mse }) => Math.min(mse, limit)), color: "var(--new)" }],
  { label: "Mean squared error by shift", height: 180, cursor: chosen, names: SHIFTS.map((v) => write(v, 1).trim()) });
}
document.getElementById("figure").append(make("div", { class: "controls" }, slide(`Shift of the bias of the ${gate} gate ${letters[gate]}`,
  { min: SHIFTS[0], max: SHIFTS.at(-1), step: 0.5, value: 0 }, (v) => { chosen = SHIFTS.indexOf(v); update(); })),
make("strong", {}, "Shares of the gate’s values over units, steps and windows"), shares, table,
make("strong", {}, "Mean squared error on test windows"), errors);
update();
addEventListener("resize", update);
