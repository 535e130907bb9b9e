// What all parts of the page share: its data, elements, colours, Plotly's settings.

const report = JSON.parse(document.getElementById("data").textContent);
const dark = matchMedia("(prefers-color-scheme: dark)");
const redraws = [];

/** Returns an element; text in it is text, whatever it holds. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/** Returns a control with its label. */
function labelled(text, control) {
  return element("label", {}, `${text} `, control);
}

function select(options, chosen, onchange) {
  const made = element("select", { onchange: () => onchange(made.value) });
  for (const [value, text] of options) {
    made.append(element("option", { value, selected: value === chosen }, text));
  }
  return made;
}

function checkbox(text, checked, onchange) {
  const made = element("input", { type: "checkbox", checked });
  made.addEventListener("change", () => onchange(made.checked));
  return element("label", {}, made, ` ${text}`);
}

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Returns an experiment's colour; black would not be seen on a dark page. */
function colorOf(experiment) {
  return experiment.color === "#000000" ? color("--ink") : experiment.color;
}

/** Returns a colour that lets others through. */
function faint(hex, share) {
  const part = (at) => parseInt(hex.slice(at, at + 2), 16);
  return `rgba(${part(1)},${part(3)},${part(5)},${share})`;
}

const DASHES = { "-": "solid", "--": "dash", ":": "dot", "-.": "dashdot" };

/** Returns a text as Plotly shows it as it is: it takes some HTML for its own. */
function literal(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Returns a value of a result as the tables write it. */
function shown(value) {
  if (value === null || value === undefined) return "-";
  return Math.abs(value) < 1000 ? value.toFixed(4) : String(Number(value.toPrecision(6)));
}

function axis(more) {
  return {
    color: color("--ink"),
    gridcolor: color("--line"),
    linecolor: color("--line"),
    zeroline: false,
    automargin: true,
    ...more,
  };
}

function layout(more) {
  return {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "system-ui, sans-serif", size: 13, color: color("--ink") },
    hoverlabel: { bgcolor: color("--paper"), bordercolor: color("--line"),
                  font: { color: color("--ink") }, namelength: -1 },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: color("--pale"), activecolor: color("--ink") },
    margin: { l: 60, r: 12, t: 30, b: 45 },
    showlegend: false,
    ...more,
  };
}

const CONFIG = {
  responsive: true,
  displaylogo: false,
  // Named one by one, so that no version of Plotly adds a button that leads to its cloud.
  modeBarButtons: [["toImage", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]],
  doubleClick: "reset",
};

/** Draws a chart, and again when the page turns dark or light. */
function draw(place, make) {
  const again = () => Plotly.react(place, ...make(), CONFIG);
  redraws.push(again);
  again();
  return again;
}

/** Returns a piece of an experiment's line. */
function sample(experiment) {
  const space = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(space, "svg");
  const line = document.createElementNS(space, "line");
  const dashes = { "-": "", "--": "6 3", ":": "1.5 3", "-.": "6 3 1.5 3" }[experiment.dash];
  const marks = { x1: 1, y1: 6, x2: 27, y2: 6, "stroke-width": 2.5, stroke: experiment.color };
  for (const [key, value] of Object.entries(marks)) line.setAttribute(key, value);
  if (dashes) line.setAttribute("stroke-dasharray", dashes);
  if (experiment.color === "#000000") picture.setAttribute("class", "ink");
  for (const [key, value] of Object.entries({ viewBox: "0 0 28 12", width: 28, height: 12 })) {
    picture.setAttribute(key, value);
  }
  picture.setAttribute("aria-hidden", "true");
  picture.append(line);
  return picture;
}
