// Uses the explorer's page as a reader does, and writes what it saw as the result.
const press = (text) => [...document.querySelectorAll("button")].find((one) => one.textContent === text).click();
const read = () => document.querySelector(".result").textContent;
if (innerWidth < 700) { document.body.style.width = "390px"; update(); }
const findTop = () => document.getElementById("section-3").getBoundingClientRect().top;
const seen = { before: read(), top: findTop() };
press("Forget everything");
seen.forgotten = read();
seen.moved_by = findTop() - seen.top;
press("As trained");
seen.again = read();
const value = document.querySelector("input[type=number]");
if (value) {
  value.value = 40;
  value.dispatchEvent(new Event("change"));
}
seen.moved = read();
document.querySelector(".controls input[type=checkbox]").click();
seen.muted = read();
const slider = document.querySelector("input[type=range]");
slider.value = 2;
slider.dispatchEvent(new Event("input"));
seen.at = slider.getAttribute("aria-valuetext");

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
setTimeout(() => {
  const controls = [...document.querySelectorAll("button, select, input")];
  const isNamed = (one) => (one.tagName === "BUTTON" && one.textContent.trim()) || one.labels?.[0]?.textContent.trim();
  const texts = [...document.querySelectorAll("main *")].filter((one) =>
    [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()) &&
    !["SCRIPT", "STYLE", "OPTION", "NOSCRIPT"].includes(one.tagName));
  seen.unnamed = controls.filter((one) => !isNamed(one)).map((one) => one.outerHTML);
  seen.unreachable = controls.filter((one) => one.tabIndex < 0).length;
  seen.contrast = Math.min(...texts.map(measureContrast));
  seen.width = document.body.scrollWidth;
  document.body.append(make("pre", { id: "result" }, JSON.stringify(seen)));
}, 500);
