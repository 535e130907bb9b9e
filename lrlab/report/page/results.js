// Final results with their intervals, and sweeps.

function drawFinal(place, data) {
  if (!data.final.length) return;
  const state = { key: data.final[0].key };
  const options = data.final.map((each) => [each.key, each.name]);
  const chart = element("div", { class: "chart", role: "img", "aria-label": place.dataset.label });
  let again = () => {};
  const choose = select(options, state.key, (value) => {
    state.key = value;
    again();
  });
  place.append(element("div", { class: "controls" }, labelled("Result", choose)),
               element("p", { class: "hint" }, "Dots: seeds. Line: mean with its 95 % interval."), chart);
  again = draw(chart, () => finalChart(data, data.final.find((each) => each.key === state.key)));
}

function finalChart(data, of) {
  const names = data.experiments.map((each) => (each.best ? `<b>${literal(each.name)}</b>` : literal(each.name)));
  const traces = [];
  data.experiments.forEach((experiment, at) => {
    const row = of.rows[at];
    if (row.mean === null) return;
    const seeds = row.values;
    traces.push({ x: seeds, y: seeds.map(() => at), mode: "markers", name: experiment.name,
                  marker: { color: colorOf(experiment), size: 7, opacity: 0.55 },
                  hovertemplate: "%{x:.4f}" });
    const interval = row.ci95 === null ? "" : `, 95 % interval ± ${shown(row.ci95)}`;
    traces.push({ x: [row.mean], y: [at], mode: "markers", name: experiment.name,
                  marker: { symbol: "line-ns", size: 16, line: { width: 3, color: colorOf(experiment) } },
                  error_x: { type: "data", array: [row.ci95 ?? 0], color: colorOf(experiment), thickness: 2 },
                  text: [`mean ${shown(row.mean)}${interval}`], hovertemplate: "%{text}" });
  });
  return [traces, layout({
    height: 90 + 34 * names.length,
    hovermode: "closest",
    xaxis: axis({ title: { text: of.name } }),
    yaxis: axis({ tickvals: names.map((_, at) => at), ticktext: names, range: [names.length - 0.5, -0.5],
                  showgrid: false }),
  })];
}

function drawSweep(place, sweep) {
  const chart = element("div", { class: "chart", role: "img", "aria-label": place.dataset.label });
  place.append(chart);
  draw(chart, () => [sweepTraces(sweep), sweepLayout(sweep)]);
}

function sweepTraces(sweep) {
  const hue = "#0072B2";
  const traces = sweep.losses.map((each, seed) => ({
    ...each, mode: "lines", name: `seed ${seed}`, opacity: 0.4, line: { color: hue, width: 0.7 }, hoverinfo: "skip",
  }));
  if (sweep.curve) {
    traces.push({ ...sweep.curve, mode: "lines", name: "smoothed", line: { color: hue, width: 2.5 },
                  hovertemplate: "loss %{y:.4f} at rate %{x:.3g}" });
  }
  return traces;
}

function sweepLayout(sweep) {
  const lines = Object.entries(sweep.lines);
  const shapes = lines.map(([, rate]) => ({
    type: "line", yref: "paper", x0: rate, x1: rate, y0: 0, y1: 1, line: { color: color("--ink"), dash: "dash", width: 1.3 },
  }));
  const [low, high] = sweep.usable;
  if (low !== null && high !== null) {
    shapes.push({ type: "rect", yref: "paper", x0: low, x1: high, y0: 0, y1: 1, line: { width: 0 },
                  fillcolor: faint("#666666", 0.12), layer: "below" });
  }
  const annotations = lines.map(([name, rate], index) => ({
    x: Math.log10(rate), y: 1 - 0.08 * index, yref: "paper", text: literal(`${name} ${Number(rate.toPrecision(3))}`),
    showarrow: false, xanchor: "left", xshift: 4, font: { color: color("--ink"), size: 12 },
  }));
  const best = sweep.curve ? sweep.curve.y.filter((value) => value !== null) : [];
  // The valley; the explosion behind it leaves the chart.
  const low0 = Math.min(...best);
  const high0 = sweep.curve ? Math.max(...best.slice(0, best.indexOf(low0) + 1)) : 0;
  const room = 0.15 * (high0 - low0);
  const range = best.length && room > 0 ? { range: [low0 - room, high0 + 2 * room] } : {};
  return layout({
    height: 380, hovermode: "closest", shapes, annotations,
    xaxis: axis({ type: "log", title: { text: "learning rate" }, exponentformat: "power" }),
    yaxis: axis({ title: { text: literal(`batch loss (${sweep.loss})`) }, ...range }),
  });
}
