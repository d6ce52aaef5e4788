// The forward pass of a trained network in the order of its equations: `networks/members.py` without NumPy.
// A row is an array of numbers, and a matrix an array of rows. Names of weights are those of `Weights`.
const sigmoid = (v) => 1 / (1 + Math.exp(-v));
const average = (row) => row.reduce((sum, v) => sum + v, 0) / row.length;

/** The steps after which half of a state is left if nothing new is written. */
const measureHalfLife = (gates) => Math.LN2 / Math.abs(average(gates.map(Math.log)));

/** Apply a function of numbers to rows, element by element. */
const each = (f, ...rows) => rows[0].map((_, k) => f(...rows.map((row) => row[k])));
// Without `each`, because most of the time is spent here.
function plus(first, ...rows) {
  const total = first.slice();
  for (const row of rows) for (let k = 0; k < total.length; k++) total[k] += row[k];
  return total;
}

/** The product of a row with a matrix. */
function times(x, W) {
  const y = new Array(W[0].length).fill(0);
  for (let row = 0; row < W.length; row++) {
    if (x[row] !== 0) for (let column = 0; column < y.length; column++) y[column] += x[row] * W[row][column];
  }
  return y;
}

/** The values of a gate of each unit over all steps. */
const column = (records, gate) => records[0][gate].map((_, unit) => records.map((record) => record[gate][unit]));

/** Split a row into parts of equal length, one for each gate. */
function split(row, count) {
  const units = row.length / count;
  return Array.from({ length: count }, (_, k) => row.slice(k * units, (k + 1) * units));
}

// A step reads the inputs x, the state before it and the weights; `set` replaces the values of a clamped gate.
const CELLS = {
  lstm: {
    name: "LSTM", keeping: "forget", letters: { input: "i", forget: "f", candidate: "g", output: "o" },
    begin: (units) => ({ hidden: new Array(units).fill(0), cell: new Array(units).fill(0) }),
    step(x, { hidden: h, cell: c }, { kernel: W, recurrent_kernel: U, bias: [b] }, set) {
      const a = split(plus(times(x, W), times(h, U), b), 4);
      const i = set("input", a[0].map(sigmoid));
      const f = set("forget", a[1].map(sigmoid));
      const g = set("candidate", a[2].map(Math.tanh));
      const o = set("output", a[3].map(sigmoid));
      const cell = each((f, c, i, g) => f * c + i * g, f, c, i, g);
      const hidden = each((o, c) => o * Math.tanh(c), o, cell);
      return { input: i, forget: f, candidate: g, output: o, cell, hidden };
    },
  },
  gru: {
    name: "GRU", keeping: "update", letters: { update: "z", reset: "r", candidate: "g" },
    begin: (units) => ({ hidden: new Array(units).fill(0) }),
    step(x, { hidden: h }, { kernel: W, recurrent_kernel: U, bias: [b], recurrent_bias }, set) {
      const products = split(plus(times(x, W), b), 3);
      // With one bias, the reset gate acts before the recurrent product, and with two, after it.
      const [d] = recurrent_bias ?? [new Array(b.length).fill(0)];
      const recurrent = split(plus(times(h, U), d), 3);
      const z = set("update", each((a, p) => sigmoid(a + p), products[0], recurrent[0]));
      const r = set("reset", each((a, p) => sigmoid(a + p), products[1], recurrent[1]));
      const read = recurrent_bias
        ? each((r, p) => r * p, r, recurrent[2])
        : split(times(each((r, h) => r * h, r, h), U), 3)[2];
      const g = set("candidate", each((a, p) => Math.tanh(a + p), products[2], read));
      const hidden = each((z, h, g) => z * h + (1 - z) * g, z, h, g);
      return { update: z, reset: r, candidate: g, hidden };
    },
  },
  mingru: {
    name: "minGRU", keeping: "update", letters: { update: "z", candidate: "g" },
    begin: (units) => ({ hidden: new Array(units).fill(0) }),
    step(x, { hidden: h }, { kernel: W, bias: [b] }, set) {
      const a = split(plus(times(x, W), b), 2);
      const z = set("update", a[0].map(sigmoid));
      const g = set("candidate", a[1]);
      const hidden = each((z, h, g) => z * h + (1 - z) * g, z, h, g);
      return { update: z, candidate: g, hidden };
    },
  },
};

/** Return the records of all steps of one layer: its gates and states.
 *
 * @param clamps  by gate: 0, 1, or a row with a value for each unit.
 * @param muted   the numbers of the units whose hidden state is 0.
 */
function runLayer(cell, weights, inputs, clamps = {}, muted = []) {
  const units = weights.kernel[0].length / Object.keys(CELLS[cell].letters).length;
  const set = (gate, values) => (gate in clamps ? values.map((_, k) => clamps[gate][k] ?? clamps[gate]) : values);
  let state = CELLS[cell].begin(units);
  return inputs.map((x) => {
    state = CELLS[cell].step(x, state, weights, set);
    for (const unit of muted) state.hidden[unit] = 0;
    return state;
  });
}

/** Return the weights of each recurrent layer of a member: the names of the second one end with _2. */
function listLayers(weights) {
  const layers = [];
  for (let end = ""; `kernel${end}` in weights; end = `_${layers.length + 1}`) {
    const names = ["kernel", "recurrent_kernel", "bias", "recurrent_bias"].filter((name) => name + end in weights);
    layers.push(Object.fromEntries(names.map((name) => [name, weights[name + end]])));
  }
  return layers;
}

/** Return the outputs of one member, and the records of its layers.
 *
 * @param change  clamps and muted of each layer, see `runLayer`.
 */
function runMember(cell, weights, steps, staticInputs, change = []) {
  let inputs = steps;
  if ("embedding_kernel" in weights) {
    const [bias] = weights.embedding_bias;
    inputs = steps.map((x) => plus(times(x, weights.embedding_kernel), bias).map((v) => Math.max(0, v)));
  }
  const layers = listLayers(weights).map((layer, number) => {
    const records = runLayer(cell, layer, inputs, change[number]?.clamps, change[number]?.muted);
    inputs = records.map(({ hidden }) => hidden);
    return records;
  });
  const last = [...inputs.at(-1), ...staticInputs];
  return { outputs: plus(times(last, weights.head_kernel), weights.head_bias[0]), layers };
}

/** Return the mean output of all members, and the records of their layers.
 *
 * @param change  by member and layer, see `runMember`.
 */
function runNetwork(network, steps, staticInputs, change = []) {
  const members = network.weights.map((weights, k) => runMember(network.cell, weights, steps, staticInputs, change[k]));
  return { outputs: plus(...members.map(({ outputs }) => outputs)).map((v) => v / members.length), members };
}

/** Return JSON in which each array is its numbers: an array of float32 or float16 in base64 is turned into nested arrays. */
function decode(text) {
  const nest = (numbers, shape) => {
    if (shape.length < 2) return Array.from(numbers);
    const size = numbers.length / shape[0];
    return Array.from({ length: shape[0] }, (_, k) => nest(numbers.slice(k * size, (k + 1) * size), shape.slice(1)));
  };
  return JSON.parse(text, (_, value) => {
    const packed = value?.float32 ?? value?.float16;
    if (packed === undefined) return value;
    const { buffer } = Uint8Array.from(atob(packed), (sign) => sign.charCodeAt(0)); // float16 is decoded in pretrained.js
    return nest(value.float32 ? new Float32Array(buffer) : Array.from(new Uint16Array(buffer), decodeHalf), value.shape);
  });
}
