// The page: its controls, and what they show. All numbers come from `forecast` or `classify`.
const page = decode(document.getElementById("content").textContent);
const isText = page.task === "text", C = page.constants;
const state = { network: 0, item: isText ? 0 : Math.max(0, page.windows.length - 2), cursor: 0, member: 0, layer: 0, unit: 0, gate: "hidden", values: [], clamps: {}, muted: new Set() };
const PRESETS = {
  lstm: { "Forget everything": { forget: "0" }, "Remember everything": { forget: "1" } },
  gru: { "Forget everything": { update: "0" }, "Remember everything": { update: "1" }, "GRU without reset": { reset: "1" } },
  mingru: { "Forget everything": { update: "0" }, "Remember everything": { update: "1" } },
};
const HOW = { trained: "as trained", 0: "closed (0)", 1: "open (1)", mean: "its mean" };
const lastColor = "var(--new)", quiet = "var(--quiet)";

const getNetwork = () => page.networks[state.network];
const getItem = () => page.windows[state.item];
const evaluate = (network, item, values, change) => (isText ? classify(page, network, item, change) : forecast(page, network, item, values, change));
const remembered = new Map();
/** The results of the trained network on an item, computed once. */
function evaluateTrained(network, item) {
  const key = `${network.name}/${page.windows.indexOf(item)}`;
  if (!remembered.has(key)) remembered.set(key, evaluate(network, item, item.values));
  return remembered.get(key);
}

/** Return the change of each member and layer that the controls ask for. */
function listChanges(trained) {
  return trained.members.map(({ layers }, m) => layers.map((records, l) => ({
    clamps: Object.fromEntries(Object.entries(state.clamps).map(([gate, how]) => [gate, how === "mean" ? column(records, gate).map(average) : Number(how)])),
    muted: [...state.muted].map((name) => name.split(" ").map(Number)).filter(([of, layer]) => of === m && layer === l).map(([, , unit]) => unit),
  })));
}

function correlate(a, b) {
  const [x, y] = [a, b].map((row) => { const middle = average(row); return row.map((v) => v - middle); });
  const product = (p, q) => p.reduce((sum, v, k) => sum + v * q[k], 0);
  return product(x, y) / Math.sqrt(product(x, x) * product(y, y) || Infinity);
}

/** Return the numbers of the values, or of the word, that each step of a network has read last. */
const listSteps = (count, length) => Array.from({ length: count }, (_, k) => length - 1 - (count - 1 - k) * (getNetwork().segment ?? 1));

/** Return half-life and meaning of each unit of a layer over all windows or texts; the longest memory first. */
function describeUnits(network, member, layer) {
  const key = `${network.name} ${member} ${layer}`;
  if (remembered.has(key)) return remembered.get(key);
  const rows = page.windows.map((item) => ({ item, found: evaluateTrained(network, item) }));
  const records = rows.map(({ found }) => found.members[member].layers[layer]), season = page.season;
  const features = isText ? [] : rows.flatMap(({ found: { history } }, k) => listSteps(records[k].length, history.length).map((t) => {
    const level = average(history.slice(Math.max(0, t - season + 1), t + 1));
    return t < season ? null : [level, history[t] - level, history[t] - history[t - season]];
  }));
  const units = records[0][0].hidden.map((_, unit) => {
    const keep = records.flatMap((steps) => steps.map((step) => step[CELLS[network.cell].keeping][unit]));
    const hidden = records.flatMap((steps) => steps.map((step) => step.hidden[unit]));
    const halfLife = measureHalfLife(keep);
    const known = features.map((_, k) => k).filter((k) => features[k]);
    const measured = isText ? [listMovers(rows, member, layer, unit)]
      : [0, 1, 2].map((of) => (known.length && !(of === 1 && season === 1) ? correlate(known.map((k) => hidden[k]), known.map((k) => features[k][of])) : NaN));
    return { unit, halfLife, measured };
  }).sort((a, b) => b.halfLife - a.halfLife);
  remembered.set(key, units);
  return units;
}

const parts = Object.fromEntries(["window", "change", "memory", "models"].map((name) => [name, document.getElementById(name)]));
const places = {};
/** Add an empty place that is filled at each change. */
const reserve = (name, attributes = {}) => (places[name] = make("div", attributes));
const choose = (text, options, chosen, set) => makeSelect(text, options, chosen, (value) => { set(value); update(); });
/** Fill a part of the controls again, and keep the focus on the control of the same place. */
function refill(place, ...children) {
  const active = place.contains(document.activeElement) ? [...place.querySelectorAll("button, select, input")].indexOf(document.activeElement) : -1;
  place.replaceChildren(...children.flat());
  if (active >= 0) place.querySelectorAll("button, select, input")[active]?.focus();
}

function reset() {
  state.values = getItem().values?.slice() ?? [];
  [state.clamps, state.muted] = [{}, new Set()];
  const length = getItem().times.length - (getItem().actuals?.length ?? 0);
  state.cursor = Math.min(state.cursor || Math.floor(length * 0.7), length - 1);
}

/** Show the text that a reader typed, which is the last of the items. */
function type(text) {
  const item = readText(page, text), { unknown, numSkipped, times } = item;
  places.typed.textContent = [unknown.length ? `Not among the ${page.vocabulary.words.length.toLocaleString("en")} words of this page: ${unknown.join(", ")}.` : "",
    numSkipped ? `Only the first ${times.length} words are read.` : "", times.length ? "" : "Type a word."].join(" ");
  if (!times.length) return;
  page.windows[page.windows.length - 1] = item;
  Object.assign(state, { item: page.windows.length - 1, cursor: times.length - 1 });
  parts.window.querySelectorAll("select")[1].value = state.item;
  remembered.clear();
  computed = {};
  update();
}

function build() {
  const example = page.vocabulary && page.windows[0].times.join(" ");
  if (example) page.windows.push(readText(page, example));
  const items = page.windows.map((item, k) => [String(k), item.label ?? `${item.series}: to ${item.times[item.values.length - 1]}`]);
  parts.window.replaceChildren(
    make("div", { class: "controls" },
      choose("Network", page.networks.map(({ label }, k) => [String(k), label]), "0", (k) => { Object.assign(state, { network: Number(k), member: 0, layer: 0, unit: null, gate: "hidden" }); reset(); }),
      choose(isText ? "Text" : "Window", items, String(state.item), (k) => { state.item = Number(k); reset(); }),
      make("label", { class: "wide" }, isText ? "Word under the cursor (arrow keys move it)" : "Step under the cursor (arrow keys move it)",
        (places.cursor = make("input", { type: "range", min: 0, input: (event) => { state.cursor = Number(event.target.value); update(true); } })))),
    ...(example ? [make("div", { class: "controls" }, make("label", { class: "wide" }, "Your own text", make("input", { value: example, input: ({ target }) => type(target.value) }))), reserve("typed", { class: "key", "aria-live": "polite" })] : []),
    reserve("chart"), reserve("pick", { class: "controls" }),
    make("div", { class: "side" }, reserve("cell"), reserve("formulas")), reserve("heat"), reserve("check"));
  parts.change.replaceChildren(reserve("presets", { class: "controls" }), reserve("clamps", { class: "controls" }), reserve("result", { class: "result", "aria-live": "polite" }), reserve("outcome"));
  parts.memory.replaceChildren(reserve("gradient"), reserve("carried"), reserve("units", { class: "table numbers" }));
  parts.models.replaceChildren(reserve("compared"), reserve("gates"), reserve("table", { class: "table numbers" }));
}

function showWindow(trained, now) {
  const item = getItem(), network = getNetwork(), records = now.members[state.member].layers[state.layer];
  const length = isText ? item.times.length : item.values.length;
  places.cursor.max = length - 1;
  places.cursor.value = state.cursor;
  places.cursor.setAttribute("aria-valuetext", item.times[state.cursor]);
  if (isText) showWords(places.chart, item, now, trained);
  else showSeries(places.chart, trained, now, 0);
  const units = describeUnits(network, state.member, state.layer);
  state.unit ??= units[0].unit;
  const numberAll = (count, name) => Array.from({ length: count }, (_, k) => [String(k), `${name} ${k + 1}`]);
  const layerNames = isText ? [["0", "forward"], ["1", "backward"]].slice(0, now.members[0].layers.length) : numberAll(now.members[0].layers.length, "layer");
  refill(places.pick,
    choose("Unit, longest memory first", units.map(({ unit, halfLife }) => [String(unit), `unit ${unit + 1}: half-life ${write(halfLife, 1).trim()}`]), String(state.unit), (k) => (state.unit = Number(k))),
    now.members.length > 1 ? choose("Member", numberAll(now.members.length, "member"), String(state.member), (k) => Object.assign(state, { member: Number(k), unit: null })) : [],
    layerNames.length > 1 ? choose("Layer", layerNames, String(state.layer), (k) => Object.assign(state, { layer: Number(k), unit: null })) : []);
  const steps = isText ? records.map((_, k) => k) : listSteps(records.length, length);
  const k = Math.max(0, steps.findIndex((t) => t >= state.cursor)), isBackwards = isText && state.layer === 1;
  const before = records[k + (isBackwards ? 1 : -1)] ?? CELLS[network.cell].begin(units.length);
  const { letters } = CELLS[network.cell];
  const read = (of) => Object.fromEntries([...Object.entries(letters).map(([gate, letter]) => [letter, of(records[k][gate])]), ["h", of(before.hidden)], ["h′", of(records[k].hidden)], ...(before.cell ? [["c", of(before.cell)], ["c′", of(records[k].cell)]] : [])]);
  const [own, mean] = [read((row) => row[state.unit]), read(average)];
  places.cell.replaceChildren(drawCell(network.cell, own, `${network.label}, unit ${state.unit + 1}, at ${item.times[state.cursor]}`));
  const names = Object.fromEntries(Object.entries(letters).map(([gate, letter]) => [letter, gate === "candidate" ? gate : `${gate} gate`]));
  places.formulas.replaceChildren(make("div", { class: "table numbers" }, tabulate(["at the cursor", "unit", "mean"],
    Object.entries(FORMULAS[network.cell]).map(([letter, text]) => [make("div", {}, `${names[letter] ?? (letter === "c′" ? "cell state" : "hidden state")}: `, setFormula(text)), write(own[letter]), write(mean[letter])]),
    `Unit ${state.unit + 1} at ${item.times[state.cursor]}, and the mean of the layer`)));
  const gate = state.gate in records[0] ? state.gate : "hidden";
  refill(places.heat, make("div", { class: "controls" }, choose("All units over the steps", Object.keys(records[0]).map((name) => [name, name === "hidden" || name === "cell" ? `${name} state` : letters[name] + ", " + name]), gate, (name) => (state.gate = name))), drawHeat(records, gate, units, k, steps));
}

/** Draw a row for each unit and a column for each step; blue is negative, orange positive. */
function drawHeat(records, gate, units, current, steps) {
  const height = 14, width = 1000 / records.length, most = Math.max(1, ...records.flatMap((step) => step[gate].map(Math.abs)));
  const cells = units.flatMap(({ unit }, row) => records.map((step, k) => make("rect", { x: k * width, y: row * height, width: width + 0.3, height: height - 1,
    fill: step[gate][unit] < 0 ? "#0072b2" : "#d55e00", opacity: Math.abs(step[gate][unit]) / most, click: () => { Object.assign(state, { unit, cursor: Math.max(0, steps[k]) }); update(); } })));
  const place = units.findIndex(({ unit }) => unit === state.unit);
  const outline = { fill: "none", stroke: "var(--text)", "stroke-width": 1.5, "pointer-events": "none" };
  return make("svg", { class: "chart", viewBox: `0 0 1000 ${units.length * height}`, preserveAspectRatio: "none", height: Math.min(320, units.length * height), role: "img", "aria-label": `${gate} of all units over the steps` },
    cells, make("rect", { ...outline, x: 0, y: place * height, width: 1000, height: height - 1 }), make("rect", { ...outline, x: current * width, y: 0, width, height: units.length * height }));
}

/** Draw the window with the trained and the changed forecast; a value can be dragged. */
function showSeries(place, trained, now, begin) {
  const item = getItem(), network = getNetwork(), unscale = (v) => v * item.deviation + item.mean, from = item.values.length;
  const shift = now.values.map((v, k) => v - trained.values[k]);
  const bounds = now.bounds ?? item.bounds[network.name]?.map((row) => row.map((v, k) => v + shift[k]));
  const isMoved = state.values.some((v, k) => v !== item.values[k]), isChanged = isMoved || shift.some((v) => Math.abs(v) > 1e-12);
  const set = (v) => { state.values[state.cursor] = (v - item.mean) / item.deviation; update(true); };
  drawChart(place, [
    ...(isMoved ? [{ name: "values before", color: quiet, dash: "3 3", values: item.values.map(unscale), width: 1.2 }] : []),
    { name: "values", color: quiet, values: state.values.map(unscale), width: 1.6 },
    { name: "actual", color: quiet, values: item.actuals.map((v) => v === null ? null : unscale(v)), from, marks: true },
    { name: network.base ?? "linear forecast", color: quiet, dash: "6 4", values: now.linear, from, width: 1.4 },
    { name: `${network.label}, as trained`, color: network.color, values: trained.values, from },
    ...(isChanged ? [{ name: "changed", color: lastColor, values: now.values, from, width: 3 }] : []),
  ], {
    label: "The values of the window and the forecasts", names: item.times, cursor: state.cursor, height: 250, begin,
    band: bounds && { rows: bounds, from, color: isChanged ? lastColor : network.color },
    drag: state.cursor >= begin && {
      value: unscale(state.values[state.cursor]), choose: (step) => { state.cursor = Math.max(0, Math.min(from - 1, step)); update(true); },
      begin: (event, read) => {
        event.preventDefault();
        const move = (moved) => set(read(moved)), stop = () => { removeEventListener("pointermove", move); removeEventListener("pointerup", stop); };
        addEventListener("pointermove", move); addEventListener("pointerup", stop);
      },
    },
  });
}

function showChange(trained, now) {
  const network = getNetwork(), item = getItem(), { letters } = CELLS[network.cell], name = `${state.member} ${state.layer} ${state.unit}`;
  const set = (clamps) => { state.clamps = { ...clamps }; update(); };
  const isSame = (clamps) => JSON.stringify(clamps) === JSON.stringify(state.clamps);
  refill(places.presets, Object.entries(PRESETS[network.cell]).map(([text, clamps]) => make("button", { type: "button", "aria-pressed": isSame(clamps), click: () => set(clamps) }, text)),
    make("button", { type: "button", "aria-pressed": isSame({}) && !state.muted.size && state.values.every((v, k) => v === item.values[k]), click: () => { reset(); update(); } }, "As trained"));
  const value = isText ? 0 : state.values[state.cursor] * item.deviation + item.mean;
  refill(places.clamps, Object.keys(letters).filter((gate) => gate !== "candidate").map((gate) => choose(`${letters[gate]}, ${gate} gate`, Object.entries(HOW).sort(([a]) => (a === "trained" ? -1 : 0)), state.clamps[gate] ?? "trained",
    (how) => { delete state.clamps[gate]; if (how !== "trained") state.clamps[gate] = how; })),
    make("label", {}, `Mute unit ${state.unit + 1}`, make("input", { type: "checkbox", checked: state.muted.has(name) && "", change: ({ target }) => { state.muted[target.checked ? "add" : "delete"](name); update(); } })),
    isText ? [] : make("label", {}, `Value at ${item.times[state.cursor]}`, make("input", { type: "number", step: "any", value: value.toFixed(countDecimals(item.values.map((v) => v * item.deviation))), change: ({ target }) => { if (target.value !== "") state.values[state.cursor] = (Number(target.value) - item.mean) / item.deviation; update(); } })));
  if (isText) return showProbabilities(places, trained, now);
  const decimals = countDecimals(trained.values.concat(now.values, item.values.map((v) => v * item.deviation + item.mean))), show = (v) => write(v, decimals + 1).trim();
  const changes = now.values.map((v, k) => v - trained.values[k]), first = item.times[item.values.length];
  const text = `The forecast of ${first} is ${show(now.values[0])}, as trained ${show(trained.values[0])}: ${changes[0] < 0 ? "" : "+"}${show(changes[0])}. `
    + `Over all ${changes.length} steps it changes by ${show(average(changes.map(Math.abs)))} on average. The network itself adds ${show(now.values[0] - now.linear[0])} to the ${network.base ?? "linear forecast"} of ${show(now.linear[0])}${network.base ? "" : `, with shrinkage ${network.shrinkage.toFixed(2)}`}.`
    + (now.moves?.some(Boolean) ? ` The long memory, a closed form that is not learnt, moves the steps by ${show(average(now.moves.map(Math.abs)))} on average.` : "");
  if (places.result.textContent !== text) places.result.textContent = text;
  showSeries(places.outcome, trained, now, Math.max(0, item.values.length - 2 * item.actuals.length - 3));
}

function showMemory(now) {
  const network = getNetwork(), item = getItem(), units = describeUnits(network, state.member, state.layer);
  const shares = now.members.flatMap(({ layers }) => column(layers[state.layer], CELLS[network.cell].keeping)).map(measureCarried);
  const carried = plus(...shares).map((v) => v / shares.length), count = carried.length;
  const steps = isText ? carried.map((_, k) => k) : listSteps(count, item.values.length);
  drawChart(places.carried, [{ name: "share of the state after each step that the gates carry to the end", color: network.color, values: carried }], { label: "State carried over by step", names: steps.map((t) => item.times[Math.max(0, t)]), height: 150 });
  const columns = isText ? ["words that move it most"] : ["level", "season", "trend"];
  refill(places.units, tabulate(["unit", "half-life", ...columns], units.slice(0, 20).map(({ unit, halfLife, measured }) => [
    make("button", { type: "button", "aria-pressed": unit === state.unit, "aria-label": `unit ${unit + 1}`, click: () => { state.unit = unit; update(); } }, String(unit + 1)), write(halfLife, 1), ...measured.map((v) => (typeof v === "string" ? v : Number.isNaN(v) ? "–" : write(v)))]),
  isText ? "Units by half-life in words, over all texts" : "Units by half-life in steps; correlation of the hidden state with level, season and trend of the windows"));
  if (isText) return places.gradient.replaceChildren();
  const gradient = differentiate(page, network, item, state.values, listChanges(evaluateTrained(network, item)));
  drawChart(places.gradient, [{ name: "change of the first step's forecast if a value rises by 1", color: "var(--accent)", values: [] }], { bars: gradient, label: "Gradient of the forecast by step", names: item.times.slice(0, state.values.length), height: 180 });
}

function showBeside() {
  const item = getItem(), found = page.networks.map((network) => evaluateTrained(network, item));
  const keeping = page.networks.map(({ cell }) => CELLS[cell].keeping), shapes = page.networks.map((network, k) => found[k].members[0].layers[0]);
  const median = (network) => { const units = describeUnits(network, 0, 0); return units[Math.floor(units.length / 2)].halfLife; };
  const unscale = (v) => (v === null ? null : v * item.deviation + item.mean), from = isText ? 0 : item.values.length;
  if (isText) compareProbabilities(places.compared, item, found);
  else drawChart(places.compared, [{ name: "actual", color: quiet, values: item.actuals.map(unscale), from, marks: true }, { color: quiet, values: item.values.map(unscale), width: 1.5 }, ...page.networks.map(({ label, color }, k) => ({ name: label, color, values: found[k].values, from }))],
    { label: "Forecasts of the networks", names: item.times, begin: Math.max(0, from - 2 * item.actuals.length - 3) });
  drawChart(places.gates, page.networks.map(({ label, color }, k) => ({ name: `${label}: mean of the ${keeping[k]} gate`, color, values: shapes[k].map((step) => average(step[keeping[k]])) })), { label: "Mean of the gate that keeps the state", names: shapes[0].map((_, k) => item.times[Math.max(0, isText ? k : listSteps(shapes[0].length, from)[k])]), height: 160 });
  const errors = found.map(({ values }) => (item.actuals ?? []).map((v, k) => (v === null ? null : Math.abs(unscale(v) - values[k]))).filter((v) => v !== null));
  const known = errors.flat(), decimals = known.length ? countDecimals([0, ...known]) : 0;
  const size = (network) => network.weights.reduce((sum, member) => sum + Object.values(member).flat(2).length, 0).toLocaleString("en");
  places.table.replaceChildren(tabulate(["network", "weights", "members", "median half-life", ...(isText ? ["probability"] : ["shrinkage", "mean error"])], page.networks.map((network, k) => [network.label, size(network), String(network.weights.length), write(median(network), 1),
    ...(isText ? [write(found[k].probability, 3)] : [network.shrinkage?.toFixed(2) ?? "–", errors[k].length ? write(average(errors[k]), decimals) : "–"])]), isText ? "The networks on this text" : "The networks on this window"));
}

let later, computed = {};
/** Compute and show everything again; while a control is being moved, what takes longer waits. */
function update() {
  const trained = evaluateTrained(getNetwork(), getItem());
  const key = JSON.stringify([state.network, state.item, state.values, state.clamps, [...state.muted]]);
  if (computed.key !== key) computed = { key, now: evaluate(getNetwork(), getItem(), state.values, listChanges(trained)) };
  const { now } = computed;
  showWindow(trained, now);
  showChange(trained, now);
  clearTimeout(later);
  later = setTimeout(() => { showMemory(now); showBeside(); }, 120);
}

/** Compare all forecasts with those that Python computed when it wrote the page: the largest difference. */
function check() {
  const read = (found, expected) => (!isText ? [found.values, expected] : location.hash === "#check" ? [found.probabilities, expected] : [[found.probability], [expected.at(-1)]]);
  const pairs = page.networks.flatMap((network) => page.windows.filter(({ forecasts }) => forecasts).map((item) => [...read(evaluateTrained(network, item), item.forecasts[network.name]), item.deviation ?? 1]));
  return Math.max(...pairs.flatMap(([found, expected, scale]) => expected.map((v, k) => Math.abs(found[k] - v) / scale)));
}

state.unit = null;
reset();
build();
update();
const difference = check();
places.check.replaceChildren(make("p", {}, `The numbers of this page differ from those that Python computed by at most ${difference.toExponential(1).replace("-", "−")}${isText ? "" : " standard deviations"}.`));
if (location.hash === "#check") document.body.append(make("pre", { id: "result" }, JSON.stringify({ difference })));
addEventListener("resize", update);
