"use strict";
// Charts: drawn when they come into view, drawn anew when the colours or the width change.

const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 2], [1, 2], [12, 4], [4, 4]];
const drawn = new Map();
let firstDrawn = null; // when, in milliseconds from the opening of the page

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function lineColour(place) {
  return colour(`line-${place % 4}`);
}

// The strip of statuses at the foot of a chart, and a triangle on each value that warns.
function drawStatus(plot, line) {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  const place = (index) => plot.valToPos(report.starts[index], "x", true);
  ctx.save();
  for (let index = 0; index < line.status.length; index += 1) {
    const status = STATUS[line.status[index]];
    const left = place(index);
    const right = index + 1 < line.status.length ? place(index + 1) : Math.min(left + (left - place(Math.max(0, index - 1))), bbox.left + bbox.width);
    if (status.height) {
      ctx.fillStyle = colour(status.name);
      ctx.fillRect(left, bbox.top + bbox.height - status.height * ratio, Math.max(1, right - left), status.height * ratio);
    }
    if ((line.status[index] === "w" || line.status[index] === "a") && line.value[index] !== null) {
      const top = plot.valToPos(line.value[index], "y", true);
      ctx.fillStyle = colour(status.name);
      ctx.beginPath();
      ctx.moveTo(left, top - 6 * ratio);
      ctx.lineTo(left + 5.5 * ratio, top + 4 * ratio);
      ctx.lineTo(left - 5.5 * ratio, top + 4 * ratio);
      ctx.fill();
    }
  }
  ctx.restore();
}

function drawChanges(plot) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = colour("muted");
  ctx.fillStyle = colour("muted");
  ctx.lineWidth = devicePixelRatio;
  for (const [time] of report.changes) {
    const left = plot.valToPos(time, "x", true);
    if (left < bbox.left || left > bbox.left + bbox.width) continue;
    ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(left, bbox.top);
    ctx.lineTo(left, bbox.top + bbox.height);
    ctx.stroke();
    ctx.beginPath();
    ctx.arc(left, bbox.top + 3 * devicePixelRatio, 3 * devicePixelRatio, 0, 7);
    ctx.fill();
  }
  ctx.restore();
}

function makeLegend(lines, judged) {
  const list = document.createElement("ul");
  list.className = "legend";
  const say = (kind, text, style) => {
    const item = document.createElement("li");
    const key = document.createElement("span");
    key.className = `key ${kind}`;
    key.setAttribute("aria-hidden", "true");
    if (style) Object.assign(key.style, style);
    item.append(key, text);
    list.append(item);
  };
  lines.forEach((line, place) => {
    if (line.name) say("line", line.name, { borderTopColor: lineColour(place), borderTopStyle: place ? "dashed" : "solid" });
  });
  if (judged?.limits) {
    say("dots", "warns from here, by what is usual then");
    say("mark", "warned");
  } else if (judged) {
    say("band", "three standard errors where nothing changed");
    say("threshold", "warns from here");
    say("mark", "warned");
  }
  if (report.changes.length) say("change", "a change");
  return list;
}

function readout(chart, lines, target) {
  return (plot) => {
    const place = plot.cursor.idx;
    if (place === null || place === undefined) {
      target.textContent = "";
      return;
    }
    const values = lines.map((line) => `${line.name ? `${line.name}: ` : ""}${spell(line.value[place], chart.unit)}`);
    const status = lines.length === 1 ? `, ${STATUS[lines[0].status[place]].word}` : "";
    target.textContent = `${report.names[place]}: ${values.join("; ")}${status}`;
  };
}

function plotOptions(chart, lines, width, readoutLine) {
  const judged = lines.length === 1 && lines[0].thresholds ? lines[0] : null;
  const axis = { stroke: colour("muted"), grid: { stroke: colour("grid"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
  const series = [{}];
  const data = [report.starts];
  const bands = [];
  if (judged) {
    data.push(judged.high, judged.low);
    series.push({ stroke: "transparent", points: { show: false } }, { stroke: "transparent", points: { show: false } });
    bands.push({ series: [1, 2], fill: colour("band") });
    for (const one of judged.thresholds) {
      data.push(one);
      series.push({ stroke: colour("warning"), width: 1, dash: [6, 4], points: { show: false } });
    }
  }
  const limits = lines.length === 1 && lines[0].limits ? lines[0] : null;
  if (limits) {
    data.push(limits.threshold);
    series.push({ stroke: colour("warning"), paths: () => null, points: { show: true, size: 4, fill: colour("warning") } });
  }
  lines.forEach((line, place) => {
    data.push(line.value);
    series.push({
      stroke: lineColour(place),
      width: 2,
      dash: DASHES[place],
      points: { show: report.starts.length <= 90, size: 5, fill: lineColour(place) },
    });
  });
  const range = padded(lines, judged?.thresholds ?? (lines.length === 1 && lines[0].limits ? [lines[0].threshold] : []));
  const options = {
    width,
    height: 190,
    series,
    bands,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    tzDate: (time) => uPlot.tzDate(new Date(time * 1e3), "Etc/UTC"),
    scales: { x: { time: true }, y: { range: () => range } },
    axes: [axis, { ...axis, size: 62, values: (_, ticks) => ticks.map((tick) => (tick < range[2] ? "" : spell(tick, chart.unit))) }],
    hooks: {
      draw: [drawChanges, (plot) => lines.length === 1 && drawStatus(plot, lines[0])],
      setCursor: [readout(chart, lines, readoutLine)],
    },
  };
  return { options, data, judged: judged ?? limits };
}

// What is judged fills the chart: a value of a few rows may lie outside of it, and stands in the numbers. Below is room
// for the strip of statuses; the third number is the least that is labelled.
function padded(lines, thresholds) {
  const values = [];
  for (const enough of [true, false]) {
    for (const line of lines) {
      line.value.forEach((value, place) => {
        if (value !== null && (line.status[place] !== "i" || !enough)) values.push(value);
      });
    }
    if (values.length) break;
  }
  for (const one of thresholds) {
    one.forEach((value, place) => value !== null && lines[0].status[place] !== "i" && values.push(value));
  }
  if (!values.length) return [0, 1, 0];
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  const span = high - low || Math.abs(high) || 0.1;
  return [low - span * 0.14, high + span * 0.08, low >= 0 ? 0 : low - span];
}

function drawChart(figure) {
  const target = figure.querySelector(".plot");
  const width = Math.floor(target.clientWidth);
  const known = drawn.get(figure);
  if (!width || (known && known.width === width)) return;
  if (known) known.plot.destroy();
  const chart = report.charts[Number(figure.dataset.chart)];
  const lines = chart.lines.map(unpack).filter((line) => !line.hidden);
  let line = figure.querySelector(".readout");
  if (!line) {
    line = document.createElement("p");
    line.className = "readout";
    line.setAttribute("aria-hidden", "true");
    target.after(line);
  }
  const { options, data, judged } = plotOptions(chart, lines, width, line);
  drawn.set(figure, { plot: new uPlot(options, data, target), width });
  firstDrawn ??= performance.now();
  figure.querySelector(".legend")?.remove();
  const legend = makeLegend(lines, judged);
  if (legend.children.length) line.after(legend);
}

function redrawAll() {
  // A copy: drawing adds to what is drawn.
  for (const [figure, known] of [...drawn]) {
    known.plot.destroy();
    drawn.delete(figure);
    drawChart(figure);
  }
}
