// One step of a cell with one input and one unit: its drawing, and its equations with the number of each term.
const cell = location.hash.slice(1) || "lstm", { letters, keeping, name } = CELLS[cell];
const weights = {
  lstm: { kernel: [[1, 0.5, 1.5, 0.5]], recurrent_kernel: [[0.5, 0.2, 0.5, -0.4]], bias: [[-1, 1, 0, 0.5]] },
  gru: { kernel: [[-0.5, 1, 1.5]], recurrent_kernel: [[0.2, 0.5, 0.8]], bias: [[1, 0, 0]], recurrent_bias: [[0, 0, 0.5]] },
}[cell];
const state = { x: 1, h: 0, c: 0, past: [] }, style = "flex-basis: 300px", sliders = make("div", { class: "controls" });
const drawing = make("div", { style }), chart = make("div"), equations = make("div", { class: "numbers", "aria-live": "polite", style });

/** Return the number of each letter and each product of the equations. */
function readTerms({ x, h, c }) {
  const after = CELLS[cell].step([x], { hidden: [h], cell: [c] }, weights, (_, values) => values);
  return Object.entries(letters).reduce((terms, [gate, letter], k) => Object.assign(terms, {
    [letter]: after[gate][0], [`x W_${letter}`]: x * weights.kernel[0][k], [`h U_${letter}`]: h * weights.recurrent_kernel[0][k],
    [`b_${letter}`]: weights.bias[0][k], [`d_${letter}`]: weights.recurrent_bias?.[0][k],
  }), { h, c, "h′": after.hidden[0], "c′": after.cell?.[0] });
}
const fill = (formula, terms) => formula.split(" = ")[1].replace(/x W_\w|h U_\w|[bd]_\w|c′|\b[ifgozrhc]\b/g, (term) => write(terms[term]));

function update(change) {
  const terms = readTerms(Object.assign(state, change)), shown = [...state.past, terms];
  drawing.replaceChildren(drawCell(cell, terms, `The ${name} with the number of each part`));
  equations.replaceChildren(tabulate(["equation", "value"], Object.entries(FORMULAS[cell]).map(([letter, text]) => [
    make("div", {}, setFormula(text), make("br"), `= ${fill(text, terms)}`), write(terms[letter], 3)]), `Step ${shown.length}`));
  const line = (label, letter, color) => ({ name: label, values: shown.map((step) => step[letter]), color });
  const lines = [line("hidden state h", "h", "var(--accent)"), ...(cell === "lstm" ? [line("cell state c", "c", "var(--new)")] : [])];
  const names = Array.from({ length: Math.max(20, shown.length) }, (_, k) => `step ${k + 1}`);
  drawChart(chart, lines, { label: "States before each step", height: 150, names, cursor: state.past.length });
}

/** Compute steps, and set the sliders of the states that they change. */
function advance(count, change) {
  for (let terms = readTerms(Object.assign(state, change)); count > 0; count--, terms = readTerms(state)) {
    Object.assign(state, { h: terms["h′"], c: terms["c′"] ?? 0, past: [...state.past, terms] });
  }
  const add = (text, letter, max) => slide(text, { min: -max, max, value: state[letter] }, (v) => update({ [letter]: v, past: [] }), 2);
  sliders.replaceChildren(add("Hidden state h", "h", 1), ...(cell === "lstm" ? [add("Cell state c", "c", 4)] : []));
  update();
}
const setBias = (v) => { weights.bias[0][Object.keys(letters).indexOf(keeping)] = v; update(); };
const buttons = [["Step: h′ becomes h", 1], ["Ten steps", 10], ["States to 0", 0, { h: 0, c: 0, past: [] }]];
document.getElementById("figure").append(make("div", { class: "controls" },
  slide("Input x", { min: -2, max: 2, step: 0.1, value: 1 }, (x) => update({ x })),
  slide(`Bias b of the ${keeping} gate ${letters[keeping]}`, { min: -6, max: 6, step: 0.1, value: 1 }, setBias),
  buttons.map(([text, count, change]) => make("button", { type: "button", click: () => advance(count, change) }, text))),
sliders, make("div", { class: "side" }, drawing, equations), chart);
advance(0);
addEventListener("resize", () => update());
