// The curves: learning rate, loss and metric, one above the other over the same axis.

const COLUMNS = 700;

function drawCurves(place, data) {
  const state = {
    axis: "epoch",
    part: "val",
    show: "band",
    smoothing: 0,
    logRate: data.logRate,
    logLoss: false,
    alone: new Set(),
    range: null,
    view: 0,
  };
  const chart = element("div", { class: "chart", role: "img", "aria-label": place.dataset.label });
  const legend = element("ul", { class: "legend", "aria-label": "Experiments" });
  let again = () => {};
  const change = (key) => (value) => {
    state[key] = value;
    if (key === "axis") state.range = null;
    if (key === "axis" || key.startsWith("log")) state.view += 1;
    again();
  };

  place.append(curveControls(data, state, change), legend, chart, rangeControls(state, () => again()));
  drawLegend(legend, data, state, () => again());
  again = draw(chart, () => [curveTraces(data, state), curveLayout(data, state)]);
  chart.on("plotly_relayout", (changed) => {
    if (changed["xaxis.autorange"]) state.range = null;
    else if (changed["xaxis.range[0]"] === undefined) return;
    else state.range = [changed["xaxis.range[0]"], changed["xaxis.range[1]"]];
    place.dispatchEvent(new Event("moved"));
    again();
  });
}

function curveControls(data, state, change) {
  const smoothing = element("input", { type: "range", min: 0, max: 0.95, step: 0.05, value: 0 });
  const told = element("span", {}, "none");
  smoothing.addEventListener("input", () => {
    told.textContent = smoothing.value === "0" ? "none" : Number(smoothing.value).toFixed(2);
    change("smoothing")(Number(smoothing.value));
  });
  const shows = [["band", "mean ± std"], ["mean", "mean"], ["seeds", "seeds"]];
  const box = element(
    "fieldset",
    { class: "controls", "aria-label": "How the curves are drawn" },
    labelled("Axis", select([["epoch", "epochs"], ["step", "steps"]], state.axis, change("axis"))),
    labelled("Results", select([["val", "validation"], ["train", "training"]], "val", change("part"))),
    labelled("Show", select(shows, state.show, change("show"))),
    checkbox("log rate", state.logRate, change("logRate")),
    checkbox("log loss", state.logLoss, change("logLoss")),
    element("span", {}, labelled("Smoothing", smoothing), " ", told),
  );
  if (data.seedsDrawn === null) return box;
  const note = `“seeds” shows the first ${data.seedsDrawn} of each experiment; means are of all.`;
  return element("div", {}, box, element("p", { class: "hint" }, note));
}

/** Returns fields that zoom as the mouse does, for the keyboard. */
function rangeControls(state, again) {
  const ends = [0, 1].map((end) => {
    const field = element("input", { type: "number", step: "any" });
    field.addEventListener("change", () => {
      const values = ends.map((each) => Number(each.value));
      if (ends.every((each) => each.value !== "") && values[0] < values[1]) state.range = values;
      if (ends.every((each) => each.value === "")) state.range = null;
      state.view += 1;
      again();
    });
    return field;
  });
  const whole = element("button", { type: "button" }, "Show all");
  whole.addEventListener("click", () => {
    for (const field of ends) field.value = "";
    state.range = null;
    state.view += 1;
    again();
  });
  return element("fieldset", { class: "controls", "aria-label": "Zoom" },
                 labelled("From", ends[0]), labelled("to", ends[1]), whole);
}

function drawLegend(list, data, state, again) {
  const buttons = [];
  const tell = () => {
    for (const [index, button] of buttons.entries()) {
      button.setAttribute("aria-pressed", String(isShown(state, index)));
    }
    again();
  };
  for (const [index, experiment] of data.experiments.entries()) {
    const button = element("button", { type: "button", "aria-pressed": "true",
      title: "Click: only this one; Shift and click: add or remove it" });
    const name = element(experiment.best ? "strong" : "span", {}, experiment.name);
    button.append(sample(experiment), " ", name);
    if (experiment.ended) button.append(` ${experiment.ended}`);
    button.addEventListener("click", (event) => {
      const only = state.alone.size === 1 && state.alone.has(index);
      if (event.shiftKey) {
        if (state.alone.has(index)) state.alone.delete(index);
        else state.alone.add(index);
      } else state.alone = only ? new Set() : new Set([index]);
      tell();
    });
    buttons.push(button);
    list.append(element("li", {}, button));
  }
  const all = element("button", { type: "button" }, "All");
  all.addEventListener("click", () => {
    state.alone = new Set();
    tell();
  });
  list.append(element("li", {}, all));
  if (data.others) list.append(element("li", { class: "hint" }, `${data.others.count} others, in grey`));
}

function isShown(state, index) {
  return state.alone.size === 0 || state.alone.has(index);
}

function curveTraces(data, state) {
  const traces = [];
  const spans = state.axis === "epoch";
  if (data.others && state.alone.size === 0) traces.push(...greyTraces(data, state));
  data.experiments.forEach((experiment, index) => {
    if (!isShown(state, index)) return;
    const unit = spans ? 1 / experiment.stepsPerEpoch : 1;
    traces.push(...rateTraces(experiment, state, unit));
    data.quantities.forEach((quantity, row) => {
      const key = quantity[state.part];
      traces.push(...epochTraces(experiment, quantity, key, state, `y${row + 2}`));
    });
  });
  return traces;
}

function line(experiment, more) {
  return { color: colorOf(experiment), dash: DASHES[experiment.dash], width: 2, ...more };
}

function rateTraces(experiment, state, unit) {
  const several = experiment.rates.length > 1;
  const width = several ? 1.2 : 2;
  const traces = experiment.rates.map((rates) => {
    const [first, last] = state.range ? state.range.map((end) => end / unit) : [0, rates.steps];
    const { at, values } = visibleRates(rates, first, last, COLUMNS);
    const said = values.map((value) => (rates.code === undefined ? value.toPrecision(4) : shortest(value)));
    return {
      x: at.map((step) => step * unit),
      y: Array.from(values),
      text: at.map((step, index) => `${said[index]} at step ${step}`),
      name: experiment.name,
      mode: "lines",
      line: line(experiment, { width }),
      opacity: several ? 0.8 : 1,
      hovertemplate: "%{text}",
    };
  });
  const ends = experiment.broken.filter((each) => each.lr !== null);
  if (ends.length) {
    const x = ends.map((each) => each.end * (state.axis === "epoch" ? 1 : experiment.stepsPerEpoch));
    traces.push(crosses(experiment, x, ends.map((each) => each.lr), ends.map((each) => each.status), "y"));
  }
  return traces;
}

function crosses(experiment, x, y, text, yaxis) {
  return { x, y, text, yaxis, name: experiment.name, mode: "markers", hovertemplate: "%{text}",
           marker: { symbol: "x", size: 9, color: colorOf(experiment) } };
}

function epochTraces(experiment, quantity, key, state, yaxis) {
  const series = experiment.series[key];
  const unit = state.axis === "epoch" ? 1 : experiment.stepsPerEpoch;
  const x = experiment.epochs.map((epoch) => epoch * unit);
  const marked = experiment.epochs.length <= 15 ? "lines+markers" : "lines";
  const common = { name: experiment.name, yaxis, mode: marked, marker: { size: 5 } };
  const traces = [];
  if (series.mean && state.show === "seeds") {
    series.runs.forEach((values, seed) => {
      traces.push({ ...common, x, y: smoothed(values, state.smoothing), opacity: 0.75,
                    text: values.map((value) => `${shown(value)}, run ${seed + 1} of ${series.count}`),
                    line: line(experiment, { width: 1.2 }), hovertemplate: "%{text}" });
    });
  } else if (series.mean) {
    const mean = smoothed(series.mean, state.smoothing);
    if (state.show === "band") traces.push(...band(experiment, series, mean, x, yaxis));
    const spread = series.std.map((std) => (std === null ? "" : ` ± ${shown(std)}`));
    const seeds = series.count > 1 ? `, ${series.count} seeds` : "";
    traces.push({ ...common, x, y: mean, line: line(experiment), hovertemplate: "%{text}",
                  text: series.mean.map((value, at) => `${shown(value)}${spread[at]}${seeds}`) });
  }
  for (const values of series.broken) {
    if (!values.length) continue;
    traces.push({ ...common, x, y: smoothed(values, state.smoothing), mode: "lines",
                  line: line(experiment, { width: 1 }), hovertemplate: "%{y:.4f}" });
    const last = values.length - 1;
    traces.push(crosses(experiment, [x[last]], [values[last]], ["ended here"], yaxis));
  }
  return traces;
}

function band(experiment, series, mean, x, yaxis) {
  const there = mean.map((_, at) => at).filter((at) => mean[at] !== null && series.std[at] !== null);
  if (!there.length) return [];
  const within = (value) =>
    Math.min(Math.max(value, series.least ?? -Infinity), series.greatest ?? Infinity);
  const low = there.map((at) => within(mean[at] - series.std[at]));
  const high = there.map((at) => within(mean[at] + series.std[at]));
  const along = there.map((at) => x[at]);
  return [{ x: [...along, ...along.slice().reverse()], y: [...high, ...low.slice().reverse()], yaxis, fill: "toself",
            fillcolor: faint(colorOf(experiment), 0.18), line: { width: 0 }, mode: "lines",
            hoverinfo: "skip" }];
}

/** Returns a moving average that forgets by a factor, as if it had begun with the first value. */
function smoothed(values, factor) {
  if (!factor) return values;
  let sum = 0;
  let weight = 0;
  return values.map((value) => {
    if (value === null) return null;
    sum = factor * sum + (1 - factor) * value;
    weight = factor * weight + (1 - factor);
    return sum / weight;
  });
}

/** Returns all lines of the others as one with gaps. */
function greyTraces(data, state) {
  const grey = (lines, yaxis, inSteps) => {
    const trace = { x: [], y: [], yaxis, mode: "lines", hoverinfo: "skip", opacity: 0.35,
                    line: { color: color("--pale"), width: 0.6 } };
    for (const each of lines) {
      const at = each.at ?? each.y.map((_, index) => 1 + index * each.by);
      trace.x.push(...at.map((one) => scaled(one, each.unit, state.axis, inSteps)), null);
      trace.y.push(...each.y, null);
    }
    return trace;
  };
  const rows = data.quantities.map((quantity, row) =>
    grey(data.others.series[quantity[state.part]] ?? [], `y${row + 2}`, false));
  return [grey(data.others.rates, "y", true), ...rows];
}

function scaled(at, stepsPerEpoch, axisUnit, inSteps) {
  if (inSteps === (axisUnit === "step")) return at;
  return inSteps ? at / stepsPerEpoch : at * stepsPerEpoch;
}

function curveLayout(data, state) {
  const [loss, metric] = data.quantities;
  const part = state.part === "val" ? "val" : "training";
  const log = (on) => (on ? "log" : "linear");
  // The range of the figures, which an exploded loss does not press flat.
  const range = (quantity, on) =>
    quantity.range === null || on ? { autorange: true } : { range: quantity.range.slice() };
  const ends = state.range ? { range: state.range } : { autorange: true };
  return layout({
    height: 760,
    hovermode: "x unified",
    uirevision: `${state.view} ${state.logLoss}`,
    xaxis: axis({ title: { text: state.axis }, anchor: "y3",
                  hoverformat: state.axis === "epoch" ? ".4~f" : ",d", showspikes: true, spikemode: "across",
                  spikethickness: 1, spikecolor: color("--pale"), spikedash: "dot", ...ends }),
    yaxis: axis({ title: { text: "learning rate" }, type: log(state.logRate), domain: [0.7, 1],
                  exponentformat: "power", rangemode: state.logRate ? "normal" : "tozero",
                  ...(data.logRate && state.logRate ? { dtick: 1 } : {}) }),
    yaxis2: axis({ title: { text: `${part} ${loss.name}` }, type: log(state.logLoss),
                   domain: [0.35, 0.65], ...range(loss, state.logLoss) }),
    yaxis3: axis({ title: { text: `${part} ${metric.name}` }, domain: [0, 0.3], ...range(metric, false) }),
  });
}
