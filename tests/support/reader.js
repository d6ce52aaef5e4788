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
setTimeout(() => {
  Object.assign(seen, checkPage());
  document.body.append(make("pre", { id: "result" }, JSON.stringify(seen)));
}, 500);
