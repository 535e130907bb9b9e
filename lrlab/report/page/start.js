// Draws all parts that have data, then hides the figures that show the same.

function copyText(button) {
  const text = button.parentElement.querySelector("code").textContent;
  const done = () => {
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  };
  const selectIt = () => {
    getSelection().selectAllChildren(button.parentElement.querySelector("code"));
    button.textContent = "Selected";
  };
  if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, selectIt);
  else selectIt();
}

function start() {
  const place = (key) => document.getElementById(`live-${key}`);
  document.documentElement.classList.add("drawn");
  if (report.comparison) {
    askOvertaking(place("curves"), report.comparison);
    askRate(place("curves"), report.comparison);
    drawCurves(place("curves"), report.comparison);
    drawFinal(place("final"), report.comparison);
  }
  (report.sweeps ?? []).forEach((sweep, index) => drawSweep(place(`sweep-${index}`), sweep));
  for (const button of document.querySelectorAll("button.copy")) {
    button.addEventListener("click", () => copyText(button));
  }
  addEventListener("beforeprint", () => {
    for (const folded of document.querySelectorAll("details")) folded.open = true;
  });
  dark.addEventListener("change", () => redraws.forEach((again) => again()));
}

try {
  start();
} catch (error) {
  document.documentElement.classList.remove("drawn");  // The figures show the same.
  throw error;
}
