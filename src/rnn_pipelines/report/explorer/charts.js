// Elements of the page, charts and drawn cells as SVG.
const SVG = new Set(["svg", "g", "path", "line", "rect", "circle", "text", "title"]);

/** Make an element; attributes whose value is a function are listeners, and `false` leaves one out. */
function make(tag, attributes = {}, ...children) {
  const element = SVG.has(tag) ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat());
  return element;
}

/** Make a labelled choice among pairs of value and text; `set` gets each value that is chosen. */
const makeSelect = (label, options, chosen, set) => make("label", {}, label, make("select", { change: ({ target }) => set(target.value) },
  options.map(([value, text]) => make("option", { value, selected: value === chosen && "" }, text))));

/** Write a number with a true minus and the same width for each sign. */
const write = (v, decimals = 2) =>
  !Number.isFinite(v) ? "∞" : v.toFixed(decimals).replace(/^-(0\.?0*)$/, "$1").replace("-", "−").padStart(decimals + 3, "\u2007");

function countDecimals(values) {
  const range = Math.max(...values) - Math.min(...values) || Math.abs(values[0]) || 1;
  return Math.max(0, Math.min(6, 2 - Math.floor(Math.log10(range))));
}

function findTicks(low, high) {
  const rough = (high - low) / 4, size = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((k) => k * size).find((k) => k >= rough);
  return Array.from({ length: Math.floor(high / step) - Math.ceil(low / step) + 1 }, (_, k) => (Math.ceil(low / step) + k) * step);
}

/** Draw lines and bars over steps.
 *
 * @param lines    { name, color, values, from, width, dash, marks, kind }: `values` begin at the step `from`; null is a gap.
 * @param options  { label, band, bars, cursor, names, height, drag, begin, key, format }: `format` writes the numbers of the axis.
 */
function drawChart(place, lines, { label, band, bars, cursor, names, height = 220, drag, begin = 0, key = true, format }) {
  const all = lines.flatMap(({ values }) => values).concat(band ? band.rows.flat() : [], bars ?? [], bars ? [0] : []);
  const known = all.filter((v) => v !== null);
  let [low, high] = [Math.min(...known), Math.max(...known)];
  const size = Math.max(Math.abs(low), Math.abs(high)) || 1;
  if (high - low < 1e-12 * size) [low, high] = [low - size, high + size];
  const ticks = findTicks(low, high), decimals = Math.min(countDecimals([low, high]), countDecimals(ticks.length > 1 ? ticks : [low, high]));
  const texts = ticks.map(format ?? ((v) => write(v, Math.max(0, decimals - 1)).trim())), right = bars ? 24 : 12, bottom = height - 24, top = 10;
  const width = Math.max(280, place.clientWidth || 700), left = Math.max(bars ? 78 : 52, 12 + 7 * Math.max(...texts.map((text) => text.length)));
  const last = Math.max(names.length - 1, begin + 1);
  const x = (step) => left + ((step - begin) / (last - begin)) * (width - left - right);
  const y = (v) => bottom - ((v - low) / (high - low)) * (bottom - top);
  const svg = make("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  ticks.forEach((tick, k) => svg.append(make("line", { class: "grid", x1: left, x2: width - right, y1: y(tick), y2: y(tick) }),
    make("text", { x: left - (bars ? 22 : 6), y: y(tick) + 4, "text-anchor": "end" }, texts[k])));
  for (const [step, anchor] of [[begin, "start"], [Math.round((begin + last) / 2), "middle"], [last, "end"]]) {
    svg.append(make("text", { x: x(step), y: height - 4, "text-anchor": anchor }, names[step]));
  }
  if (band) {
    const points = [...band.rows[0].map((v, k) => [x(band.from + k), y(v)]), ...band.rows[1].map((v, k) => [x(band.from + k), y(v)]).reverse()];
    svg.append(make("path", { d: `M${points.join("L")}Z`, fill: band.color, opacity: 0.18 }));
  }
  (bars ?? []).forEach((v, k) => {
    const size = Math.max(1, ((width - left - right) / names.length) * 0.7);
    svg.append(make("rect", { x: x(k) - size / 2, width: size, y: Math.min(y(0), y(v)), height: Math.max(0.5, Math.abs(y(v) - y(0))), fill: "var(--accent)" }));
  });
  for (const { values, from = 0, color, dash = "", width: stroke = 2, marks, kind = "" } of lines) {
    const path = values.map((v, k) => (v === null || from + k < begin ? "" : `${k && values[k - 1] !== null && from + k > begin ? "L" : "M"}${x(from + k)},${y(v)}`)).join("");
    if (!marks) svg.append(make("path", { class: kind, d: path || "M0,0", fill: "none", stroke: color, "stroke-width": stroke, "stroke-dasharray": dash, "stroke-linejoin": "round" }));
    else values.forEach((v, k) => v !== null && from + k >= begin && svg.append(make("circle", { cx: x(from + k), cy: y(v), r: 3.5, fill: "none", stroke: color, "stroke-width": 1.6 })));
  }
  if (cursor !== undefined && cursor >= begin) svg.append(make("line", { class: "cursor", x1: x(cursor), x2: x(cursor), y1: top, y2: bottom }));
  const step = (event) => Math.round(begin + ((event.clientX - svg.getBoundingClientRect().left) * width / svg.clientWidth - left) / (width - left - right) * (last - begin));
  if (drag) {
    const handle = make("circle", { class: "handle", cx: x(cursor), cy: y(drag.value), r: 9, fill: "var(--accent)", stroke: "var(--paper)", "stroke-width": 2 });
    handle.addEventListener("pointerdown", (event) => drag.begin(event, ({ clientY }) => low + ((bottom - (clientY - svg.getBoundingClientRect().top) * height / svg.clientHeight) / (bottom - top)) * (high - low)));
    svg.append(handle);
    svg.addEventListener("click", (event) => event.target !== handle && drag.choose(step(event)));
  }
  const marks = lines.filter(({ name }) => name).map(({ name, color, dash, marks }) => make("span", { style: `--mark: ${color}`, class: marks ? "dots" : dash ? "dashes" : "" }, name));
  place.replaceChildren(...(key && marks.length ? [make("div", { class: "key" }, marks)] : []), svg);
}

// The cell as in the course: boxes of gates and operations at their places, and the wires between them.
const DRAWINGS = {
  lstm: {
    wires: ["M30,45H500", "M30,225H410", "M110,225V45", "M200,225V100H270", "M290,225V45", "M380,225V150H440", "M440,45V225H500"],
    boxes: { f: [110, 165], i: [200, 165], g: [290, 165], o: [380, 165], c: [30, 45], h: [30, 225], "c′": [500, 45], "h′": [500, 225] },
    signs: [[110, 45, "×"], [290, 100, "×"], [290, 45, "+"], [440, 95, "tanh"], [440, 150, "×"]],
  },
  gru: {
    wires: ["M30,45H500", "M30,45V225H360", "M120,225V45", "M120,100H360", "M240,225V165H360", "M360,225V45"],
    boxes: { z: [120, 165], r: [240, 165], g: [360, 165], h: [30, 45], "h′": [500, 45] },
    signs: [[120, 45, "×"], [360, 100, "×"], [360, 45, "+"], [240, 100, "1 − z"], [300, 165, "×"]],
  },
};
DRAWINGS.mingru = { ...DRAWINGS.gru, wires: ["M30,45H500", "M120,225V45", "M120,100H360", "M360,225V45", "M60,225H360"] };
DRAWINGS.mingru.boxes = Object.fromEntries(Object.entries(DRAWINGS.gru.boxes).filter(([letter]) => letter !== "r"));
DRAWINGS.mingru.signs = DRAWINGS.gru.signs.slice(0, 4);

/** Draw a cell with the number of each letter. */
function drawCell(cell, numbers, label) {
  const { wires, boxes, signs } = DRAWINGS[cell];
  const box = ([letter, [x, y]]) => make("g", { "data-term": letter },
    make("rect", { class: "box", x: x - 29, y: y - 21, width: 58, height: 42, rx: 6 }),
    make("text", { x, y: y - 4, "font-weight": 700 }, letter), make("text", { x, y: y + 14 }, write(numbers[letter]).trim()));
  const sign = ([x, y, text]) => make("g", {},
    make("rect", { x: x - 5 - 4 * text.length, y: y - 12, width: 10 + 8 * text.length, height: 24, rx: 12, fill: "var(--paper)", stroke: "var(--quiet)" }),
    make("text", { x, y: y + 5 }, text));
  return make("svg", { class: "cell", viewBox: "0 0 535 252", role: "img", "aria-label": label },
    wires.map((d) => make("path", { class: "wire", d })), signs.map(sign), Object.entries(boxes).map(box),
    make("text", { x: 84, y: 243 }, "x, h"));
}

// The equations of each cell by the letter of their result. A letter under the pointer is marked in drawing and equation.
const FORMULAS = {
  lstm: { i: "i = σ(x W_i + h U_i + b_i)", f: "f = σ(x W_f + h U_f + b_f)", g: "g = tanh(x W_g + h U_g + b_g)", o: "o = σ(x W_o + h U_o + b_o)", "c′": "c′ = f · c + i · g", "h′": "h′ = o · tanh c′" },
  gru: { z: "z = σ(x W_z + b_z + h U_z + d_z)", r: "r = σ(x W_r + b_r + h U_r + d_r)", g: "g = tanh(x W_g + b_g + r · (h U_g + d_g))", "h′": "h′ = z · h + (1 − z) · g" },
  mingru: { z: "z = σ(x W_z + b_z)", g: "g = x W_g + b_g", "h′": "h′ = z · h + (1 − z) · g" },
};
const mark = (term) => document.querySelectorAll("[data-term]").forEach((one) => one.classList.toggle("hot", one.dataset.term === term));
document.addEventListener("pointerover", ({ target }) => mark(target.closest?.("[data-term]")?.dataset.term));
const setFormula = (text) => make("span", { class: "formula" }, text.split(/(c′|h′|[WUbd]_\w|\b[ifgozrch]\b(?!′))/).map((token, k) => {
  if (k % 2 === 0) return token;
  return token[1] === "_" ? make("span", {}, token[0], make("sub", {}, token[2])) : make("span", { "data-term": token }, token);
}));

const tabulate = (head, rows, caption) => make("table", {}, make("caption", {}, make("span", {}, caption)),
  make("thead", {}, make("tr", {}, head.map((name, k) => make("th", { class: k ? "number" : "" }, name)))),
  make("tbody", {}, rows.map((row) => make("tr", {}, row.map((cell, k) => make("td", { class: k ? "number" : "" }, cell))))));

/** Return a slider whose label shows its value; `set` gets each new value. */
function slide(text, attributes, set, decimals = 1) {
  const shown = make("span"), show = () => (shown.textContent = write(Number(input.value), decimals));
  const input = make("input", { type: "range", step: "any", ...attributes, input: () => { show(); set(Number(input.value)); } });
  show();
  return make("label", {}, make("span", {}, `${text}: `, shown), input);
}
