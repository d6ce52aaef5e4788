// Uses a figure of the course: all its controls to their ends, at the width of the window.
if (innerWidth < 700) {
  document.body.style.width = "390px";
  dispatchEvent(new Event("resize"));
}
setTimeout(() => {
  const seen = { moved_by: moveControls(), ...checkPage(), empty: document.querySelector("main").textContent.trim() === "" };
  document.body.append(make("pre", { id: "result" }, JSON.stringify(seen)));
}, 500);
