// Training of one recurrent layer with a dense head. Back-propagation through time is that of `cells/gradients.py`:
// d and a letter is the gradient of the loss with respect to it, and a the argument of the σ or tanh of a gate.
// The forward pass is `runMember` of cells.js, and the names of the weights are those that it reads.

/** Return a function that draws uniform numbers from 0 to 1; the same seed draws the same ones (mulberry32). */
function makeRandom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let v = Math.imul(state ^ (state >>> 15), state | 1);
    v ^= v + Math.imul(v ^ (v >>> 7), v | 61);
    return ((v ^ (v >>> 14)) >>> 0) / 2 ** 32;
  };
}

const drawNormal = (random) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const makeMatrix = (rows, columns, draw = () => 0) => Array.from({ length: rows }, () => Array.from({ length: columns }, draw));
const dot = (x, y) => x.reduce((sum, v, k) => sum + v * y[k], 0);
const timesTransposed = (a, W) => W.map((row) => dot(row, a));
const mapWeights = (f, ...all) => Object.fromEntries(Object.keys(all[0]).map((name) =>
  [name, all[0][name].map((row, k) => each(f, row, ...all.slice(1).map((weights) => weights[name][k])))]));

/** Add the product of a column x with a row a to a matrix. */
function addProduct(total, x, a) {
  for (let row = 0; row < x.length; row++) for (let column = 0; column < a.length; column++) total[row][column] += x[row] * a[column];
}

/** Draw first weights as Keras does: Glorot's kernels, orthogonal recurrent kernels, and a forget bias of 1. */
function drawWeights(cell, features, units, random) {
  const width = units * Object.keys(CELLS[cell].letters).length;
  const glorot = (rows, columns) => makeMatrix(rows, columns, () => (2 * random() - 1) * Math.sqrt(6 / (rows + columns)));
  const recurrent = [];
  for (let row of makeMatrix(units, width, () => drawNormal(random))) {
    // Gram and Schmidt: each row less its part along the rows before it.
    for (const other of recurrent) { const part = dot(row, other); row = each((v, w) => v - part * w, row, other); }
    const length = Math.sqrt(dot(row, row));
    recurrent.push(row.map((v) => v / length));
  }
  const bias = makeMatrix(1, width);
  if (cell === "lstm") bias[0].fill(1, units, 2 * units);
  const weights = { kernel: glorot(features, width), recurrent_kernel: recurrent, bias };
  if (cell === "gru") weights.recurrent_bias = makeMatrix(1, width);
  return { ...weights, head_kernel: glorot(units, 1), head_bias: makeMatrix(1, 1) };
}

// Go back through one step: the gradients of the weights are added to `total`, those of inputs and state are returned.
const STEP_BACK = {
  lstm(x, { hidden: h, cell: c }, { input: i, forget: f, candidate: g, output: o }, { hidden: dh, cell: dc }, weights, total) {
    const k = each((f, c, i, g) => Math.tanh(f * c + i * g), f, c, i, g);
    const dC = each((dc, dh, o, k) => dc + dh * o * (1 - k * k), dc, dh, o, k);
    const a = [
      each((dC, g, i) => dC * g * i * (1 - i), dC, g, i),
      each((dC, c, f) => dC * c * f * (1 - f), dC, c, f),
      each((dC, i, g) => dC * i * (1 - g * g), dC, i, g),
      each((dh, k, o) => dh * k * o * (1 - o), dh, k, o),
    ].flat();
    addProduct(total.kernel, x, a);
    addProduct(total.recurrent_kernel, h, a);
    addProduct(total.bias, [1], a);
    const before = { hidden: timesTransposed(a, weights.recurrent_kernel), cell: each((dC, f) => dC * f, dC, f) };
    return { inputs: timesTransposed(a, weights.kernel), before };
  },
  gru(x, { hidden: h }, { update: z, reset: r, candidate: g }, { hidden: dh }, weights, total) {
    const p = split(plus(times(h, weights.recurrent_kernel), weights.recurrent_bias[0]), 3)[2];
    const az = each((dh, h, g, z) => dh * (h - g) * z * (1 - z), dh, h, g, z);
    const ag = each((dh, z, g) => dh * (1 - z) * (1 - g * g), dh, z, g);
    const ar = each((ag, p, r) => ag * p * r * (1 - r), ag, p, r);
    const ofInputs = [az, ar, ag].flat(), ofState = [az, ar, each((ag, r) => ag * r, ag, r)].flat();
    addProduct(total.kernel, x, ofInputs);
    addProduct(total.bias, [1], ofInputs);
    addProduct(total.recurrent_kernel, h, ofState);
    addProduct(total.recurrent_bias, [1], ofState);
    const hidden = each((dh, z, past) => dh * z + past, dh, z, timesTransposed(ofState, weights.recurrent_kernel));
    return { inputs: timesTransposed(ofInputs, weights.kernel), before: { hidden } };
  },
};

/** Go back through all steps of a layer, see `STEP_BACK`.
 *
 * @param records  of `runLayer`.
 * @param dHidden  by step, the gradient of the loss with respect to each hidden state as an output.
 */
function backpropagate(cell, weights, inputs, records, dHidden, total) {
  const first = CELLS[cell].begin(records[0].hidden.length), ofInputs = [];
  let ofState = first;
  for (let time = inputs.length - 1; time >= 0; time--) {
    const after = { ...ofState, hidden: plus(ofState.hidden, dHidden[time]) };
    const found = STEP_BACK[cell](inputs[time], records[time - 1] ?? first, records[time], after, weights, total);
    [ofInputs[time], ofState] = [found.inputs, found.before];
  }
  return { inputs: ofInputs, initial: ofState };
}

/** Return the mean squared error of windows, and its gradient with respect to each weight. */
function findGradients(cell, weights, windows, targets) {
  const gradients = mapWeights(() => 0, weights);
  let loss = 0;
  windows.forEach((window, k) => {
    const { outputs, layers: [records] } = runMember(cell, weights, window, []);
    const error = outputs[0] - targets[k], dOutput = (2 * error) / windows.length;
    loss += error ** 2 / windows.length;
    addProduct(gradients.head_kernel, records.at(-1).hidden, [dOutput]);
    gradients.head_bias[0][0] += dOutput;
    const dHidden = records.map(({ hidden }) => hidden.map(() => 0));
    dHidden[dHidden.length - 1] = weights.head_kernel.map(([v]) => v * dOutput);
    backpropagate(cell, weights, window, records, dHidden, gradients);
  });
  return { loss, gradients };
}

/** Change the weights of { weights, mean, square, steps } by one step of Adam (Kingma & Ba 2015), as Keras does. */
function stepAdam(state, gradients, rate) {
  const steps = state.steps + 1, size = (rate * Math.sqrt(1 - 0.999 ** steps)) / (1 - 0.9 ** steps);
  const mean = mapWeights((m, d) => 0.9 * m + 0.1 * d, state.mean, gradients);
  const square = mapWeights((s, d) => 0.999 * s + 0.001 * d * d, state.square, gradients);
  const weights = mapWeights((w, m, s) => w - (size * m) / (Math.sqrt(s) + 1e-7), state.weights, mean, square);
  return { weights, mean, square, steps };
}

/** Return the weights of a ridge regression, by Gauss's elimination of (XᵀX + penalty) w = Xᵀy. */
function fitRidge(rows, targets, penalty) {
  const columns = [...rows[0].map((_, k) => rows.map((row) => row[k])), targets];
  const system = columns.slice(0, -1).map((column, k) => columns.map((other, j) => dot(column, other) + (j === k ? penalty : 0)));
  system.forEach((pivot, k) => system.forEach((row, j) => {
    if (j !== k) system[j] = each((v, p) => v - (row[k] / pivot[k]) * p, row, pivot);
  }));
  return system.map((row, k) => row.at(-1) / row[k]);
}
