// Checks of a page that runs in Chromium.
const parse = (color) => color.match(/[\d.]+/g).map(Number);
const shine = (color) => {
  const [r, g, b] = parse(color).map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const findPaper = (one) => {
  for (; one; one = one.parentElement) {
    const color = getComputedStyle(one).backgroundColor;
    if (color !== "rgba(0, 0, 0, 0)") return color;
  }
  return "rgb(255, 255, 255)";
};
const measureContrast = (one) => {
  const style = getComputedStyle(one);
  const [a, b] = [shine(one.ownerSVGElement ? style.fill : style.color), shine(findPaper(one))];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
};

/** What a page needs to be usable: names and places of its controls, contrast of its texts, and its width. */
function checkPage() {
  const controls = [...document.querySelectorAll("button, select, input, textarea")];
  const isNamed = (one) => (one.tagName === "BUTTON" && one.textContent.trim()) || one.labels?.[0]?.textContent.trim();
  const texts = [...document.querySelectorAll("main *")].filter((one) =>
    [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()) &&
    !["SCRIPT", "STYLE", "OPTION", "NOSCRIPT"].includes(one.tagName));
  return {
    unnamed: controls.filter((one) => !isNamed(one)).map((one) => one.outerHTML),
    unreachable: controls.filter((one) => one.tabIndex < 0).length,
    contrast: Math.min(...texts.map(measureContrast)),
    width: document.body.scrollWidth,
  };
}

/** Move each control to its ends, and return by how much one of the controls moved on the page. */
function moveControls() {
  const list = () => [...document.querySelectorAll("button, select, input, summary")].map((one) => one.getBoundingClientRect().top);
  const before = list();
  let most = 0;
  const compare = () => list().forEach((top, k) => (most = Math.max(most, Math.abs(top - before[k]))));
  for (const one of document.querySelectorAll("input[type=range], input[type=number], select")) {
    const first = one.value;
    // Another network has other gates, and another text other words.
    const isOther = ["Network", "Text"].includes(one.labels[0]?.firstChild.textContent);
    const ends = one.tagName === "SELECT" ? [...one.options].map(({ value }) => value) : [one.min, one.max];
    for (const value of [...ends, first]) {
      one.value = value;
      one.dispatchEvent(new Event("input", { bubbles: true }));
      one.dispatchEvent(new Event("change", { bubbles: true }));
      if (!isOther) compare();
    }
  }
  return most;
}
