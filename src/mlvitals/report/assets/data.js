"use strict";
// The data island, unpacked where and when something is drawn or listed.

const report = JSON.parse(document.getElementById("report-data").textContent);

const STATUS = {
  o: { name: "ok", word: "ok", height: 3 },
  w: { name: "warning", word: "warning", height: 10 },
  a: { name: "alert", word: "alert", height: 10 },
  i: { name: "insufficient_data", word: "insufficient data", height: 1.5 },
  n: { name: "no_data", word: "no data", height: 0 },
  "-": { name: "no_data", word: "no data", height: 0 },
};

function bytes(text) {
  return Uint8Array.from(atob(text), (one) => one.charCodeAt(0)).buffer;
}

function floats(text) {
  return Array.from(new Float32Array(bytes(text)), (value) => (Number.isNaN(value) ? null : value));
}

// Standard errors and distances: [the largest, 16-bit steps of it, one more where there is none].
function steps([top, text], count) {
  if (!text) return new Array(count).fill(0);
  return Array.from(new Uint16Array(bytes(text)), (step) => (step > 65534 ? null : (step / 65534) * top));
}

function statuses(text) {
  return text.replace(/(\d+)(.)/g, (_, count, letter) => letter.repeat(Number(count)));
}

function versionAt(place) {
  let before = 0;
  for (const [name, count] of report.versions) {
    before += count;
    if (place < before) return name;
  }
  return "";
}

// A line as plain arrays; computed once, when first asked for.
function unpack(line) {
  if (line.unpacked) return line.unpacked;
  const value = floats(line.value);
  const made = { name: line.name, hidden: Boolean(line.hidden), value, status: statuses(line.status), samples: line.samples };
  if (line.below) {
    const end = (from, sign) =>
      steps(from, value.length).map((one, place) => (one === null || value[place] === null ? null : value[place] + sign * one));
    made.lower = end(line.below, -1);
    made.upper = end(line.above, 1);
  }
  if (line.warning !== undefined) {
    const noise = steps(line.noise, value.length);
    const normal = line.normal.flatMap(([number, count]) => new Array(count).fill(number));
    const known = (place, number) => (normal[place] === null || value[place] === null ? null : number);
    const both = line.side === "neither";
    made.noise = noise.map((one, place) => known(place, one));
    made.low = noise.map((one, place) => known(place, normal[place] - 3 * one));
    made.high = noise.map((one, place) => known(place, normal[place] + 3 * one));
    const above = noise.map((one, place) => known(place, normal[place] + line.warning + 3 * one));
    const below = noise.map((one, place) => known(place, normal[place] - line.warning - 3 * one));
    made.threshold = line.side === "higher" ? below : above;
    made.thresholds = both ? [above, below] : [made.threshold];
  }
  if (line.limit) {
    // What it was held against follows from what is usual at that time, and may lie on either side.
    made.threshold = floats(line.limit);
    made.limits = true;
  }
  line.unpacked = made;
  return made;
}

function spell(value, unit) {
  if (value === null || value === undefined) return "–";
  const percent = unit === "1";
  const number = Number((percent ? value * 100 : value).toPrecision(percent ? 3 : 4));
  const text = number.toLocaleString("en", { maximumSignificantDigits: percent ? 3 : 4 }).replace("-", "−");
  const word = unit.replace(/[{}]/g, "");
  if (percent) return `${text} %`;
  return word === "s" || word === "sd" ? `${text} ${word}` : text;
}
