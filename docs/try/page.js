// The reader's text, the figures and the controls.
const networks = decode(JSON.stringify(NETWORKS)), C = CONSTANTS;
const forecast = (cell, ...inputs) => forecastPretrained(networks[cell], ...inputs);
const MISSING = /^(na|n\/a|nan|null|none|-|–|\.|\?|)$/i;
const MAX_SIZE = 1e100, MIN_VALUES = 3, MAX_ORIGINS = 12, DAY = 864e5;
// The largest horizon, in horizons that were learnt.
const MAX_LEARNT = 10;
class InputError extends Error {}

// The value of a cell: NaN if it is missing, undefined if it is no number with this decimal mark.
function readNumber(cell, mark) {
  if (MISSING.test(cell)) return NaN;
  const [point, group] = mark === "," ? [",", "\\."] : ["\\.", ","];
  const digits = cell.replace(/(\d)[\s'’](?=\d{3})/g, "$1").replace("−", "-");
  const form = `^[-+]?(?=${point}?\\d)([1-9]\\d{0,2}(${group}\\d{3})+|\\d*)(${point}\\d*)?(e[-+]?\\d+)?$`;
  const value = Number(digits.replace(new RegExp(group, "g"), "").replace(",", "."));
  return new RegExp(form, "i").test(digits) && Math.abs(value) < MAX_SIZE ? value : undefined;
}

// 2024-05, 2024-05-31, 2024-05-31 13:00 or 31.5.2024, in milliseconds; NaN for another form.
function readTime(cell) {
  const found = cell.replace(/^(\d{1,2})\.(\d{1,2})\.(\d{4})/, "$3-$2-$1")
    .match(/^(\d{4})[-/](\d{1,2})(?:[-/](\d{1,2}))?(?:[T ](\d{1,2}):(\d{2})(?::\d{2}.*)?)?$/);
  const [year, month, day, hour, minute] = (found ?? []).slice(1).map((part) => Number(part ?? 0));
  return found ? Date.UTC(year, month - 1, day || 1, hour, minute) : NaN;
}

const isWord = (cell) => Number.isNaN(readTime(cell)) && [".", ","].every((mark) => readNumber(cell, mark) === undefined);
function splitLine(line, separator) {
  const cells = [...`${line}${separator}`.matchAll(new RegExp(`((?:"[^"]*"|[^${separator}])*)${separator}`, "g"))];
  return cells.map(([, cell]) => cell.trim().replace(/^"(.*)"$/, "$1").trim());
}

// Commas are decimal marks if each line is one number, and the parts before them do not count the rows.
function findSeparator(lines) {
  const body = lines.slice(lines[0].includes(",") ? 0 : 1);
  const wholes = body.map((line) => line.trim().match(/^([-+−]?[\d.]+)(,\d+)?$/)?.[1] ?? NaN);
  const isCount = !wholes.some((whole, place) => place && whole - wholes[place - 1] !== 1);
  const found = ["\t", ";"].find((mark) => lines.some((line) => line.includes(mark)));
  return found ?? (isCount || wholes.some(Number.isNaN) ? "," : "\n");
}

function readTable(text) {
  let lines = text.replace("\ufeff", "").trimEnd().split(/\r\n|\r|\n/);
  if (lines.length === 1) lines = lines[0].trim().split(/[;\s]/.test(lines[0].trim()) ? /[;,]?\s+|;/ : ",");
  const separator = findSeparator(lines), rows = lines.map((line) => splitLine(line, separator));
  const header = rows.length > 1 && rows[0].some(isWord) ? rows.shift() : [], firstRow = header.length ? 2 : 1;
  const columns = range(findLargest(rows.map((row) => row.length))).map((place) =>
    ({ name: header[place] || `column ${place + 1}`, cells: rows.map((row) => row[place] ?? ""), firstRow }));
  const times = columns.find(({ cells }) => !cells.some((cell) => Number.isNaN(readTime(cell))));
  const isText = ({ cells }) => cells.filter(isWord).length * 2 > cells.filter((cell) => !MISSING.test(cell)).length;
  const numeric = columns.filter((column) => column !== times && (columns.length === 1 || !isText(column)));
  if (!numeric.length) throw new InputError("There is no column of numbers. Paste one, or open another file.");
  return { times, numeric, isEuropean: ";\n".includes(separator) };
}

// The decimal mark that makes numbers of more cells; a comma in a file of semicolons if both do.
function guessMark(cells, isEuropean) {
  const count = (mark) => cells.filter((cell) => readNumber(cell, mark) !== undefined).length;
  const isLevel = count(",") === count(".") && cells.some((cell) => cell.includes(","));
  return count(",") > count(".") || (isLevel && isEuropean) ? "," : ".";
}

// The values from the first to the last one, without gaps, and the rows of those that were missing.
function readSeries({ cells, name, firstRow }, mark) {
  const values = cells.map((cell) => readNumber(cell, mark)), wrong = values.indexOf(undefined);
  if (wrong >= 0)
    throw new InputError(`Row ${firstRow + wrong}, ${name}: “${cells[wrong].slice(0, 40)}” is not a number with a `
      + `decimal ${mark === "," ? "comma" : "point"}. Correct or empty it.`);
  const known = range(values.length).filter((place) => !Number.isNaN(values[place]));
  const first = known[0], last = known.at(-1);
  if (known.length < MIN_VALUES)
    throw new InputError(`At least ${MIN_VALUES} values are needed, but ${name} has ${known.length}.`);
  const missing = range(last - first, first).filter((place) => Number.isNaN(values[place]));
  for (const place of missing) {
    const next = known.find((later) => later > place), before = values[place - 1];
    values[place] = before + (values[next] - before) / (next - place + 1);
  }
  return { values: values.slice(first, last + 1), first, missing: missing.map((place) => place + firstRow) };
}

// The label of each place, also of those ahead; the days of a step; the first row whose step is unusual.
function readTimes(times, first, count) {
  if (!times) return { labelOf: (place) => (place < count ? `${place + 1}` : `+${place - count + 1}`), days: NaN };
  const cells = times.cells.slice(first, first + count), found = cells.map(readTime), last = new Date(found.at(-1));
  const steps = findDifferences(found, 1), step = findMedian(steps.slice(1)), months = Math.round(step / DAY / 30.4);
  const start = [last.getUTCFullYear(), last.getUTCMonth()], row = times.firstRow + first;
  const locate = (isOdd) => (steps.some(isOdd) ? `Row ${row + steps.findIndex(isOdd)}: the time` : "");
  const back = locate((own) => own <= 0), odd = locate((own) => Math.abs(own / step - 1) > (months ? 0.15 : 0.01));
  if (back) throw new InputError(`${back} is not after the one before. Give one series, the oldest value first.`);
  const findNext = (ahead) => (months ? Date.UTC(start[0], start[1] + months * ahead) : +last + step * ahead);
  const write = (time) => new Date(time).toISOString().slice(0, months ? 7 : step < DAY ? 16 : 10).replace("T", " ");
  return { labelOf: (place) => cells[place] ?? write(findNext(place - count + 1)), days: step / DAY, odd };
}

// The season of the time step, or the lag at which changes from step to step repeat best.
function guessSeason(values, days) {
  const usual = C.USUAL_SEASONS.find(([step]) => Math.abs(days / step - 1) < 0.2);
  if (usual) return usual[1];
  const changes = findDifferences(values, 1).slice(1), mean = average(changes);
  const correlate = (lag) => sum(changes.slice(lag).map((own, place) => (own - mean) * (changes[place] - mean)));
  const lags = C.USUAL_SEASONS.map(([, lag]) => lag).filter((lag) => lag > 1 && values.length >= 2 * lag);
  const least = Math.max(0.25, 2 / Math.sqrt(values.length)) * correlate(0), highest = findLargest(lags.map(correlate));
  return lags.find((lag) => correlate(lag) > Math.max(least, 0.9 * highest, correlate(lag >> 1))) ?? 1;
}

function forecastAll({ cell, season, horizon }, values) {
  const { quantiles, moves, members, isLog } = forecast(cell, values.slice(-findPastLength(season, horizon)), season, horizon);
  const past = values.slice(-C.MAX_PAST);
  const [low, network, high] = [0.1, 0.5, 0.9].map((level) => quantiles.map((step) => step[C.LEVELS.indexOf(level)]));
  const [theta, naive] = [extendTheta, extendNaive].map((extend) => extend(past, season, horizon));
  return { network, low, high, theta, naive, gates: members[0].layers[0], isLog, isReverted: moves.some(Boolean) };
}

// The errors of the three methods at earlier origins, and whether the interval held.
function testOnPast(inputs) {
  const { values, season, horizon } = inputs, last = values.length - horizon;
  const first = Math.max(values.length >> 1, Math.min(2 * season, last), MIN_VALUES), errors = [], inside = [];
  const count = Math.max(0, Math.min(MAX_ORIGINS, last - first + 1));
  for (const place of range(count)) {
    const origin = last - Math.round((place * (last - first)) / Math.max(1, count - 1));
    const { network, low, high, theta, naive } = forecastAll(inputs, values.slice(0, origin));
    values.slice(origin, origin + horizon).forEach((value, step) => {
      errors.push([network, theta, naive].map((own) => Math.abs(value - own[step])));
      inside.push(low[step] <= value && value <= high[step]);
    });
  }
  return { count, inside, errors: range(3).map((method) => averageKnown(errors.map((own) => own[method]))) };
}

const find = (id) => document.getElementById(id);
const findRange = (values) => [-findLargest(values.map((value) => -value)), findLargest(values)];
const writeRows = (place, rows) =>
  find(place).replaceChildren(...rows.map((row) => make("tr", {}, row.map((cell) => make("td", {}, cell)))));
// Numbers with three digits of the range of some values.
function makeFormat(values) {
  const [low, high] = findRange(values), span = high - low > 1e-9 * Math.abs(high) ? high - low : Math.abs(high) || 1;
  const digits = 2 - Math.floor(Math.log10(span));
  return (value) => (digits > 9 || digits < -12 ? value.toPrecision(4) : value.toFixed(Math.max(0, digits)).replace(/^-(?=[0.]+$)/, ""));
}

function drawForecast({ name, values, labelOf, horizon }, { low, high, network, theta, naive }, [ofNetwork, ofTheta, ofNaive]) {
  const shown = values.slice(-Math.max(40, 4 * horizon)), from = shown.length - 1, place = find("chart");
  const names = range(shown.length + horizon, values.length - shown.length).map(labelOf), follow = (own) => [shown[from], ...own];
  const height = Math.max(260, Math.min(400, place.clientWidth / 2)), format = makeFormat([...shown, ...low, ...high]);
  drawChart(place, [
    { name: ofNaive, kind: "naive", values: follow(naive), from, color: "var(--naive)", dash: "2 3" },
    { name: ofTheta, kind: "theta", values: follow(theta), from, color: "var(--theta)", dash: "7 4" },
    { name: "past", kind: "past", values: shown, color: "var(--text)", width: 1.5 },
    { name: `${ofNetwork} and its 80 % interval`, kind: "network", values: follow(network), from, color: "var(--accent)", width: 2.5 },
  ], { label: `${name}: past, forecast of ${horizon} steps, and its 80 % interval`, names, cursor: from, height, format,
    band: { rows: [follow(high), follow(low)], from, color: "var(--accent)" } });
}

// The values that are read, and the mean of each gate over all units, with the range of 80 % of the units.
function drawGates(gates, { values, labelOf, cell }) {
  const first = values.length - gates.length, names = range(gates.length, first).map(labelOf), color = "var(--accent)";
  const shown = Object.keys(CELLS[cell].letters).filter((name) => name !== "candidate"), places = ["", ...shown].map(() => make("div"));
  find("gates").replaceChildren(...places);
  const draw = (place, name, lines, band) => drawChart(place, lines, { label: name, names, height: 120, band });
  draw(places[0], "values", [{ name: `the newest ${gates.length} values`, values: values.slice(first), color: "var(--text)" }]);
  shown.forEach((name, k) => {
    const sorted = gates.map((step) => Float64Array.from(step[name]).sort()), means = sorted.map(average);
    const rows = [0.1, 0.9].map((part) => sorted.map((own) => own[Math.round(part * (own.length - 1))]));
    draw(places[k + 1], name, [{ name: `${name} gate`, values: means, color }, { values: [0, 1], color: "" }], { rows, from: 0, color });
  });
}

const guessed = new Set(["column", "horizon"]); // the controls that no reader has set

function readInputs() {
  const { numeric, isEuropean, times } = readTable(find("text").value);
  const isIndex = ({ cells }) => cells.every((cell, place) => !place || cell - cells[place - 1] === 1);
  const chosen = guessed.has("column") ? numeric.findIndex((column) => !isIndex(column)) : find("column").selectedIndex;
  const column = numeric[chosen] ?? numeric[0], mark = find("mark").value || guessMark(column.cells, isEuropean);
  find("column").replaceChildren(...numeric.map((own) => new Option(own.name, own.name, false, own === column)));
  find("column-part").hidden = numeric.length === 1;
  const series = readSeries(column, mark), { values, first } = series, read = readTimes(times, first, values.length);
  const guess = guessSeason(values, read.days), season = Number(find("season").value || guess);
  find("automatic").textContent = `automatic: ${find(`season-${guess}`).textContent}`;
  const learnt = findLearntHorizon(season), most = MAX_LEARNT * learnt;
  const usual = Math.min(season === 1 ? 6 : season, learnt, values.length >> 1);
  if (guessed.has("horizon")) find("horizon").value = usual;
  const horizon = Number(find("horizon").value);
  if (!(Number.isInteger(horizon) && horizon >= 1 && horizon <= most))
    throw new InputError(`Steps ahead: give a whole number from 1 to ${most}, ${MAX_LEARNT} times what was learnt for this season.`);
  return { ...series, ...read, name: column.name, mark, season, horizon, cell: find("gru").checked ? "gru" : "lstm" };
}

// Show the forecast of the inputs, and return what is said about them.
function show(inputs) {
  const { values, labelOf, missing, odd, season, horizon, cell, mark } = inputs, made = forecastAll(inputs, values);
  const { count, inside, errors } = testOnPast(inputs), last = values.length;
  const names = [`pretrained ${cell.toUpperCase()}`, "Theta", season > 1 ? "seasonal naive" : "last value"];
  document.querySelectorAll("[data-name]").forEach((place) => { place.textContent = names[place.dataset.name]; });
  document.querySelectorAll("[data-cell]").forEach((place) => { place.hidden = place.dataset.cell !== cell; });
  find("horizon-shown").textContent = horizon;
  find("is-log").hidden = !made.isLog;
  find("is-reverted").hidden = !made.isReverted;
  drawForecast(inputs, made, names);
  drawGates(made.gates, inputs);
  const formatError = makeFormat([0, ...errors]), least = formatError(Math.min(...errors));
  const best = names.filter((_, method) => formatError(errors[method]) === least).join(", ");
  find("errors").hidden = count === 0;
  find("verdict").textContent = count === 0 ? "The series is too short for a test of the forecasts on its own past."
    : `Smallest mean absolute error at ${count} earlier origin${count > 1 ? "s" : ""}: ${best}. `
      + `${sum(inside)} of ${inside.length} values were inside the interval.`;
  const compare = (error) => `${(100 * (error / errors[2] - 1)).toFixed(0)} %`.replace(/^\d/, "+$&").replace("-", "−");
  writeRows("error-rows", names.map((name, method) =>
    [name, formatError(errors[method]), method === 2 || !errors[2] ? "–" : compare(errors[method])]));
  const columns = [made.network, made.low, made.high, made.theta, made.naive];
  const format = makeFormat([...values.slice(-200), ...made.network]);
  writeRows("value-rows", range(horizon).map((step) => [labelOf(last + step), ...columns.map((column) => format(column[step]))]));
  return [`${last} values of ${inputs.name}${mark === "," ? ", with decimal commas" : ""}.`,
    missing.length && `${missing.length} missing, filled on a straight line: row ${missing.slice(0, 9).join(", ")}.`,
    odd && `${odd} is not one usual step after the one before. Missing rows are not filled.`,
    last > C.MAX_PAST && `The network reads the newest ${Math.min(last, findPastLength(season, horizon))}, Theta the newest ${C.MAX_PAST}.`, last < 2 * season && "They are fewer than two seasons.",
  ].filter(Boolean).join(" ");
}

function update() {
  find("message").className = "";
  try {
    find("message").textContent = show(readInputs());
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    Object.assign(find("message"), { textContent: error.message, className: "wrong" });
  }
}

async function openFile(file) {
  find("text").value = await file.text();
  ["column", "horizon"].forEach((name) => guessed.add(name));
  ["season", "mark"].forEach((name) => { find(name).value = ""; });
  update();
}

const updateSoon = () => { clearTimeout(updateSoon.timer); updateSoon.timer = setTimeout(update, 250); };
addEventListener("resize", updateSoon);
addEventListener("input", ({ target }) => {
  guessed.delete(target.id);
  if (target.id === "season") guessed.add("horizon");
  if (target.id !== "file") updateSoon();
  else if (target.files.length) openFile(target.files[0]);
});
find("copy").addEventListener("click", () => {
  getSelection().selectAllChildren(find("values"));
  find("copied").textContent = document.execCommand("copy") ? "Copied." : "Selected. Copy it with the keyboard.";
});
for (const kind of ["dragover", "dragleave", "drop"])
  addEventListener(kind, (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    document.body.classList.toggle("dropping", kind === "dragover");
    if (kind === "drop") openFile(event.dataTransfer.files[0]);
  });
update();
