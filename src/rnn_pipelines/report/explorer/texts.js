// From the words of a text to its probability after each word: the networks of `sentiment/methods/network.py`.

/** Return the inputs at the first words of a text; an n-gram that a later word completes is not there yet. */
function readWords(network, item, length) {
  return item.vectors[network.name].slice(0, length).map((vector, t) =>
    (network.ngrams ? [...vector, ...item.ngrams[t].map((weight, k) => (t + k < length ? 10 * weight : 0))] : vector));
}

/** Return the records of both directions, in the order of the words. */
function readBothWays(network, words, change) {
  const [weights] = network.weights, run = (layer, inputs, k) => runLayer(network.cell, layer, inputs, change[k]?.clamps, change[k]?.muted);
  const forward = run(weights, words, 0);
  if (!("backward_kernel" in weights)) return [forward];
  const backward = Object.fromEntries(Object.entries(weights).map(([name, array]) => [name.replace("backward_", ""), array]));
  return [forward, run(backward, words.slice().reverse(), 1).reverse()];
}

/** Pool the states of all words, and return the logit: the last ones, their maximum, or also their mean. */
function findLogit(network, layers) {
  const pool = {
    last: () => layers.flatMap((records, k) => (k ? records[0] : records.at(-1)).hidden),
    max: () => layers.flatMap((records) => column(records, "hidden").map((states) => Math.max(...states))),
    mean: () => layers.flatMap((records) => column(records, "hidden").map(average)),
  };
  const [{ logit_kernel, logit_bias }] = network.weights;
  return times(network.pooling.flatMap((kind) => pool[kind]()), logit_kernel)[0] + logit_bias[0];
}

/** Return the records of the network over all words, and the probability of the text, also up to each word. */
function classify(page, network, item, change = []) {
  const read = (length) => {
    const layers = readBothWays(network, readWords(network, item, length), change[0] ?? []);
    const logits = { ...Object.fromEntries(Object.entries(item.logits).map(([name, row]) => [name, row[length - 1]])), [network.name]: findLogit(network, layers) };
    const logit = Object.entries(page.calibration.weights).reduce((sum, [name, weight]) => sum + weight * logits[name], page.calibration.intercept);
    return { layers, probability: item.known[length - 1] ? sigmoid(logit) : 0.5 };
  };
  const { layers, probability } = read(item.times.length);
  let known;
  // Computed only for the text that is shown, because each beginning of it is read again.
  return { members: [{ layers }], probability, get probabilities() { return (known ??= item.times.map((_, t) => read(t + 1).probability)); } };
}

/** Return the words of a text: `tokenize` of Python. */
function findWords(text, signs) {
  const area = document.createElement("textarea");
  area.innerHTML = text.replaceAll("<", "&lt;");
  const cleaned = area.value.replace(/<\/?[a-zA-Z!][^<>]{0,200}>/g, " ").replaceAll("’", "'").toLowerCase();
  return cleaned.match(/[\p{L}\p{N}_]+(?:'[\p{L}\p{N}_]+)*|[^\p{L}\p{N}_\s]/gu)?.filter((word) => signs || /[\p{L}\p{N}_]/u.test(word)) ?? [];
}

/** Return a text that a reader typed as an item of the page: the inputs at each word, and the logits up to it. */
function readText({ vocabulary: { words, vectors, ngrams, weights, intercept, order, signs, maxWords }, networks }, text) {
  const numbers = new Map(words.map((word, k) => [word, k + 2])), weightOf = new Map(ngrams.map((row, k) => [row.filter(Boolean).join(), weights[k]]));
  const all = findWords(text, signs), times = all.slice(0, maxWords), ids = times.map((word) => numbers.get(word) ?? 1);
  const orders = Array.from({ length: order }, (_, k) => k), name = (begin, end) => ids.slice(begin, end).join();
  // An n-gram counts once in a text.
  const seen = new Set();
  const findLogits = () => ids.map((_, t) => {
    orders.filter((k) => k <= t).forEach((k) => seen.add(name(t - k, t + 1)));
    return [...seen].reduce((sum, ngram) => sum + (weightOf.get(ngram) ?? 0), intercept);
  });
  const item = { label: "your own text", times, numSkipped: all.length - times.length, unknown: [...new Set(times.filter((_, t) => ids[t] === 1))],
    vectors: Object.fromEntries(networks.map((network) => [network.name, ids.map((id) => vectors[network.name][id])])),
    ngrams: ids.map((_, t) => orders.map((k) => weightOf.get(name(t, t + k + 1)) ?? 0)), known: ids.map((_, t) => ids.slice(0, t + 1).some((id) => id !== 1)) };
  const read = (network) => times.map((_, t) => findLogit(network, readBothWays(network, readWords(network, item, t + 1), [])));
  item.logits = { nb_ngram: findLogits(), ...Object.fromEntries(networks.map((network) => [network.name, read(network)])) };
  return item;
}

/** Return the words at which a unit changes most, over all texts. */
function listMovers(rows, member, layer, unit) {
  const moves = rows.flatMap(({ item, found }) => {
    const states = column(found.members[member].layers[layer], "hidden")[unit], isBackwards = layer === 1;
    return states.map((v, k) => [item.times[k], v - (states[k + (isBackwards ? 1 : -1)] ?? 0)]);
  }).sort(([, a], [, b]) => Math.abs(b) - Math.abs(a));
  return [...new Map(moves.map(([word, change]) => [word, change]).reverse())].reverse().slice(0, 3).map(([word, change]) => `${word} ${change < 0 ? "−" : "+"}`).join(", ");
}

const drawProbabilities = (place, item, lines, height = 180) => drawChart(place, [{ values: item.times.map(() => 0.5), color: "var(--line)" }, ...lines], { label: "Probability of positive, word by word", names: item.times, height, cursor: lines.cursor });

/** Show the words; one is chosen by its button, and its colour is the change of the probability. */
function showWords(place, item, now, trained) {
  const steps = now.probabilities.map((v, t) => v - (now.probabilities[t - 1] ?? 0.5));
  const words = item.times.map((word, t) => make("button", { type: "button", "aria-pressed": t === state.cursor, click: () => { state.cursor = t; update(); },
    style: `box-shadow: inset 0 -${Math.min(12, Math.round(Math.abs(steps[t]) * 40))}px 0 -1px ${steps[t] < 0 ? "var(--bad)" : "var(--good)"}` }, word));
  const chart = make("div");
  refill(place, make("p", { class: "words" }, words), chart);
  showLines(chart, item, now, trained);
}

function showLines(place, item, now, trained) {
  const lines = [{ name: `probability of positive, ${getNetwork().label} as trained`, color: getNetwork().color, values: trained.probabilities }];
  if (now.probabilities.some((v, t) => Math.abs(v - trained.probabilities[t]) > 1e-12)) lines.push({ name: "changed", color: lastColor, values: now.probabilities, width: 3 });
  drawProbabilities(place, item, Object.assign(lines, { cursor: state.cursor }));
}

function showProbabilities(places, trained, now) {
  const show = (v) => write(v, 3).trim(), change = now.probability - trained.probability;
  places.result.textContent = `The probability that this text is positive is ${show(now.probability)}, as trained ${show(trained.probability)}: ${change < 0 ? "" : "+"}${show(change)}.`;
  showLines(places.outcome, getItem(), now, trained);
}

const compareProbabilities = (place, item, found) => drawProbabilities(place, item, page.networks.map(({ label, color }, k) => ({ name: label, color, values: found[k].probabilities })));
