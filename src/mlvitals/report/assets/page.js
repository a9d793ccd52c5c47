"use strict";
// What the page does: draws what is seen, lists numbers when asked, filters features, unfolds for print.

function cell(row, kind, text, numeric) {
  const made = document.createElement(kind);
  made.textContent = text;
  if (numeric) made.className = "n";
  if (kind === "th") made.scope = row.parentNode.nodeName === "THEAD" ? "col" : "row";
  row.append(made);
}

function makeTable(caption, heads, rows) {
  const region = document.createElement("div");
  region.className = "scroll tall";
  region.tabIndex = 0;
  region.setAttribute("role", "region");
  region.setAttribute("aria-label", caption);
  const table = document.createElement("table");
  table.createCaption().textContent = caption;
  const head = table.createTHead().insertRow();
  heads.forEach((text, place) => cell(head, "th", text, place > 0));
  const body = table.createTBody();
  for (const values of rows) {
    const row = body.insertRow();
    values.forEach((text, place) => cell(row, place ? "td" : "th", text, place > 0));
  }
  region.append(table);
  return region;
}

function chartTable(number, title) {
  const chart = report.charts[number];
  const lines = chart.lines.map(unpack);
  const heads = ["window", "version"];
  const columns = [];
  for (const line of lines) {
    const name = line.name || "value";
    const unit = line.hidden ? "1" : chart.unit;
    const add = (head, values) => {
      heads.push(head);
      columns.push((place) => spell(values[place], unit));
    };
    add(name, line.value);
    if (line.lower) {
      add("at least", line.lower);
      add("at most", line.upper);
    }
    if (line.noise) add("standard error, if unchanged", line.noise);
    if (line.threshold) add("warns from", line.threshold);
    if (line.samples && !line.hidden) {
      heads.push("rows");
      columns.push((place) => line.samples[place].toLocaleString("en"));
    }
    if (!line.hidden) {
      heads.push("status");
      columns.push((place) => STATUS[line.status[place]].word);
    }
  }
  const rows = report.names.map((name, place) => [name, versionAt(place), ...columns.map((one) => one(place))]);
  return makeTable(title, heads, rows.reverse());
}

function distributionTable(number) {
  const { labels, reference, current } = report.distributions[number];
  const share = (value) => spell(value, "1");
  const rows = labels.map((label, place) => [label, ...(reference.length ? [share(reference[place])] : []), share(current[place])]);
  return makeTable("Shares by bin", ["bin", ...(reference.length ? ["reference"] : []), "this window"], rows);
}

function fillNumbers(details) {
  const target = details.querySelector("[data-table], [data-distribution]");
  if (!target || target.childElementCount) return;
  const title = details.closest("figure").querySelector("figcaption h3, figcaption h4")?.textContent;
  target.append(target.dataset.table ? chartTable(Number(target.dataset.table), title) : distributionTable(Number(target.dataset.distribution)));
}

const seen = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) if (entry.isIntersecting) drawChart(entry.target);
  },
  { rootMargin: "200px" },
);
const sized = new ResizeObserver((entries) => {
  for (const entry of entries) {
    const figure = entry.target.closest("figure");
    if (drawn.has(figure)) drawChart(figure);
  }
});
for (const figure of document.querySelectorAll("figure.chart")) {
  seen.observe(figure);
  sized.observe(figure.querySelector(".plot"));
}
for (const details of document.querySelectorAll("details.numbers")) {
  details.addEventListener("toggle", () => details.open && fillNumbers(details));
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);

// A link to a feature opens it.
function openTarget() {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && target.nodeName === "DETAILS") target.open = true;
}
addEventListener("hashchange", openTarget);
openTarget();

const filter = document.querySelector("form.filter");
if (filter) {
  const find = document.getElementById("find");
  const moved = document.getElementById("moved");
  const features = [...document.querySelectorAll("details.feature")];
  const narrow = () => {
    const text = find.value.trim().toLowerCase();
    let shown = 0;
    for (const one of features) {
      one.hidden = !one.dataset.name.includes(text) || (moved.checked && !("moved" in one.dataset));
      shown += one.hidden ? 0 : 1;
    }
    document.getElementById("count").textContent = `${shown} of ${features.length} features`;
  };
  filter.hidden = false;
  filter.addEventListener("input", narrow);
  filter.addEventListener("submit", (event) => event.preventDefault());
}

// Print shows all: what is folded is unfolded and drawn, and folded again afterwards.
let unfolded = null;
function unfold() {
  if (unfolded) return;
  unfolded = [...document.querySelectorAll("details:not(.numbers):not([open])")];
  for (const details of unfolded) details.open = true;
  for (const figure of document.querySelectorAll("figure.chart")) drawChart(figure);
}
function fold() {
  for (const details of unfolded ?? []) details.open = false;
  unfolded = null;
}
addEventListener("beforeprint", unfold);
addEventListener("afterprint", fold);
const printing = matchMedia("print");
printing.addEventListener("change", () => (printing.matches ? unfold() : fold()));
