// Learning rates of every step: reads what lrlab/report/rate_code.py writes.

/** Returns the rate of every step as it was recorded, null where only some were kept. */
function wholeRates(line) {
  if (line.code === undefined) return null;
  if (!line.whole) line.whole = decodeRates(line.code, line.steps);
  return line.whole;
}

function decodeRates(code, steps) {
  const bytes = Uint8Array.from(atob(code), (letter) => letter.charCodeAt(0));
  const bits = new Int32Array(steps);
  let at = 0;
  let step = 0;
  let slope = 0;
  let value = 0;

  function number() {
    let found = 0;
    for (let shift = 0; ; shift += 7) {
      const group = bytes[at++];
      found |= (group & 127) << shift;
      if (group < 128) return found >>> 0;
    }
  }

  function bend(by) {
    slope = (slope + by) | 0;
    value = (value + slope) | 0;
    bits[step++] = value;
  }

  while (step < steps) {
    for (let zeros = at < bytes.length ? number() : steps - step; zeros > 0; zeros--) bend(0);
    if (step < steps) {
      const folded = number();
      bend((folded >>> 1) ^ -(folded & 1));
    }
  }
  return new Float32Array(bits.buffer);
}

/** Returns the rate at a step (from 0), and whether it is exact; null past the end. */
function rateAt(line, step) {
  if (step >= line.steps) return null;
  const whole = wholeRates(line);
  if (whole) return { value: whole[step], exact: true };
  const later = line.at.findIndex((each) => each >= step);
  const exact = line.at[later] === step;
  return { value: line.values[exact ? later : Math.max(0, later - 1)], exact };
}

/** Returns a float32 number with as few digits as tell it from all others. */
function shortest(value) {
  for (let digits = 1; digits < 10; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(value);
}

/** Returns the points of a line between two steps that can be seen: the extremes of columns. */
function visibleRates(line, first, last, columns) {
  const whole = wholeRates(line);
  if (!whole) return { at: line.at, values: line.values };
  const from = Math.max(0, Math.floor(first));
  const to = Math.min(line.steps - 1, Math.ceil(last));
  const width = Math.ceil((to - from + 1) / columns);
  const at = [];
  for (let begin = from; begin <= to; begin += width) {
    const end = Math.min(begin + width - 1, to);
    let low = begin;
    let high = begin;
    for (let step = begin; step <= end; step++) {
      if (whole[step] < whole[low]) low = step;
      if (whole[step] > whole[high]) high = step;
    }
    for (const step of new Set([begin, Math.min(low, high), Math.max(low, high), end])) {
      if (at.length === 0 || step > at[at.length - 1]) at.push(step);
    }
  }
  return { at, values: at.map((step) => whole[step]) };
}
