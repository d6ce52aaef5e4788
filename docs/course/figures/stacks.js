// The parameters of two recurrent layers and a dense layer; the area of a rectangle is the number of an array's parameters.
const COLORS = { "kernel W": "var(--accent)", "recurrent kernel U": "var(--new)", biases: "var(--bad)" };
const chosen = { cell: "lstm", features: 1, first: 64, second: 32 };

/** Return the rows of kernel, recurrent kernel and biases of each layer, and their columns: gates times units. */
function listShapes({ cell, features, first, second }) {
  const gates = Object.keys(CELLS[cell].letters).length, biases = cell === "gru" ? 2 : 1;
  return [[[features, first, biases], gates * first], [[first, second, biases], gates * second], [[second, 0, 1], 1]];
}
const count = ([rows, columns]) => columns * rows.reduce((sum, v) => sum + v), group = (v) => v.toLocaleString("en");

function drawArrays([rows, columns], top) {
  const letters = Object.values(CELLS[chosen.cell].letters), size = columns / letters.length, end = top + count([rows, 1]);
  const y = (k) => top + count([[0, ...rows.slice(0, k)], 1]);
  return [rows.map((height, k) => make("rect", { x: 0, y: y(k), width: columns, height, fill: Object.values(COLORS)[k], opacity: 0.8 })),
    letters.map((letter, k) => make("text", { x: (k + 0.5) * size, y: top - 6, "text-anchor": "middle" }, letter)),
    letters.map((_, k) => make("path", { d: `M${k * size},${top}V${end}`, stroke: "var(--paper)" }))].flat();
}
const result = make("div", { class: "result", "aria-live": "polite" }), table = make("div", { class: "table numbers" });
function update(change) {
  const { cell, first, second } = Object.assign(chosen, change), { name } = CELLS[cell], shapes = listShapes(chosen);
  const names = [`${name}(${first})`, `${name}(${second})`, "Dense(1)"], counts = shapes.map(count), total = group(count([counts, 1]));
  result.textContent = `${names.join("–")}: ${counts.map(group).join(" + ")} = ${total} parameters`;
  table.replaceChildren(tabulate(["layer", ...Object.keys(COLORS), "sum"], shapes.map(([rows, columns], k) => [names[k],
    ...rows.map((v) => (v ? `${v} × ${columns} = ${group(v * columns)}` : "–")), group(count([rows, columns]))]), "Rows × columns"));
  const view = { class: "chart", viewBox: "-2 0 516 460", style: "max-width: 420px", role: "img", "aria-label": "Arrays of both layers" };
  picture.replaceChildren(make("div", { class: "key" }, marks), make("svg", view, drawArrays(shapes[0], 20), drawArrays(shapes[1], 194)));
}
const marks = Object.entries(COLORS).map(([array, color]) => make("span", { style: `--mark: ${color}` }, array)), picture = make("div");
const options = ["lstm", "gru"].map((cell) => make("option", { value: cell }, CELLS[cell].name));
document.getElementById("figure").append(make("div", { class: "controls" },
  make("label", {}, "Cell", make("select", { change: ({ target }) => update({ cell: target.value }) }, options)),
  [["Features", "features", 16], ["Units of layer 1", "first", 128], ["Units of layer 2", "second", 128]].map(([text, key, max]) =>
    slide(text, { min: 1, max, step: 1, value: chosen[key] }, (v) => update({ [key]: v }), 0))), result, table, picture);
update();
