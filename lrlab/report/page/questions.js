// Two questions that people ask of curves, answered in words from the recorded numbers.

function askRate(place, data) {
  const most = Math.max(0, ...data.experiments.flatMap((each) => each.rates.map((rates) => rates.steps)));
  if (!most) return;
  const start = most > 5000 ? 5000 : Math.floor(most / 2);
  const field = element("input", { type: "number", min: 0, max: most - 1, step: 1, value: start, id: "rate-step" });
  const answer = element("output", { for: "rate-step", id: "rate-answer" });
  const tell = () => {
    const step = Number(field.value);
    if (field.value === "" || !Number.isInteger(step) || step < 0 || step >= most) {
      answer.replaceChildren(`Steps count from 0 to ${most - 1}.`);
      return;
    }
    const rows = data.experiments.map((each) =>
      element("tr", {}, element("th", { scope: "row" }, sample(each), ` ${each.name}`),
              element("td", { class: "number" }, ratesInWords(each, step)),
              element("td", {}, `epoch ${Math.floor(step / each.stepsPerEpoch) + 1}`)));
    answer.replaceChildren(element("table", {}, element("tbody", {}, ...rows)));
  };
  field.addEventListener("input", tell);
  place.append(element("div", { class: "question" }, labelled("Learning rate at step", field), answer));
  tell();
}

function ratesInWords(experiment, step) {
  const found = experiment.rates.map((rates) => rateAt(rates, step)).filter((each) => each !== null);
  if (!found.length) return experiment.rates.length ? "ended before" : "never trained";
  const about = found.every((each) => each.exact) ? "" : "about ";
  const say = (value) => (about ? Number(value).toPrecision(3) : shortest(value));
  const values = [...new Set(found.map((each) => each.value))].sort((a, b) => a - b);
  if (values.length === 1) return about + say(values[0]);
  return `${about}${say(values[0])} to ${say(values[values.length - 1])}, by seed`;
}

function askOvertaking(place, data) {
  const able = data.experiments.filter((each) => Object.values(each.series).some((of) => of.mean));
  if (able.length < 2) return;
  const measured = data.quantities.find((quantity) => quantity.judged) ?? data.quantities[0];
  const keys = data.quantities.flatMap((each) => [[each.val, `val ${each.name}`], [each.train, `training ${each.name}`]]);
  const chosen = { first: able[0].name, second: able[1].name, key: measured.val };
  const leaders = able.slice().sort((a, b) => better(data, measured.val, last(b, measured.val), last(a, measured.val)));
  [chosen.first, chosen.second] = [leaders[0].name, leaders[1].name];
  const answer = element("output", { id: "overtaking-answer" });
  const names = able.map((each) => [each.name, each.name]);
  const tell = () => {
    const [first, second] = [chosen.first, chosen.second].map((name) => able.find((each) => each.name === name));
    answer.textContent = overtaking(data, first, second, chosen.key, Object.fromEntries(keys)[chosen.key]);
  };
  const choose = (key) => (value) => {
    chosen[key] = value;
    tell();
  };
  place.append(
    element("div", { class: "question" },
      element("div", { class: "controls" },
        labelled("When did", select(names, chosen.first, choose("first"))),
        labelled("overtake", select(names, chosen.second, choose("second"))),
        labelled("by", select(keys, chosen.key, choose("key")))),
      answer),
  );
  tell();
}

function last(experiment, key) {
  const mean = experiment.series[key].mean ?? [];
  return mean.length ? mean[mean.length - 1] : null;
}

/** Returns a number above 0 if the first of two results is better; one that is missing is worse. */
function better(data, key, first, second) {
  if (first === null || second === null) return (first !== null) - (second !== null);
  const of = data.quantities.find((each) => each.val === key || each.train === key);
  return of.mode === "max" ? first - second : second - first;
}

/** Says from which epoch on the mean of one experiment is ahead of another's. */
function overtaking(data, first, second, key, name) {
  if (first === second) return "Choose two experiments.";
  const theirs = new Map(second.epochs.map((epoch, at) => [epoch, second.series[key].mean?.[at] ?? null]));
  const ahead = [];
  first.epochs.forEach((epoch, at) => {
    const mine = first.series[key].mean?.[at] ?? null;
    const other = theirs.get(epoch) ?? null;
    if (mine !== null && other !== null) ahead.push({ epoch, by: better(data, key, mine, other) });
  });
  if (!ahead.length) return "They have no epoch in common.";
  const [one, other] = [first.name, second.name];
  const about = `by the mean ${name}`;
  const end = ahead[ahead.length - 1];
  const thinned = first.allEpochs && second.allEpochs ? "" : ", as far as epochs are drawn";
  if (ahead.every((each) => each.by > 0)) return `${one} is ahead of ${other} in every epoch, ${about}${thinned}.`;
  if (ahead.every((each) => each.by <= 0)) return `${one} is never ahead of ${other}, ${about}${thinned}.`;
  const taken = ahead.filter((each, at) => each.by > 0 && at > 0 && ahead[at - 1].by <= 0).map((each) => each.epoch);
  const parts = [];
  if (ahead[0].by > 0) parts.push("is ahead in the first epoch, falls behind later");
  if (taken.length) parts.push(`overtakes ${other} ${at(taken)}`);
  parts.push(end.by > 0 ? `is ahead at the end (epoch ${end.epoch})` : `is behind at the end (epoch ${end.epoch})`);
  const said = [parts.slice(0, -1).join(", "), parts[parts.length - 1]].join(" and ");
  return `${one} ${said}, ${about}${thinned}.`;
}

function at(epochs) {
  if (epochs.length === 1) return `at epoch ${epochs[0]}`;
  const many = epochs.slice(0, 8);
  const more = epochs.length > many.length ? " and later" : "";
  return `at epochs ${many.slice(0, -1).join(", ")} and ${many[many.length - 1]}${more}`;
}
