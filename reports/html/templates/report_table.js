"use strict";
// Leaderboard, charts and page: what a choice shows, hides or sorts. No library, no network.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

function theme(dark) {
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  $("#theme").setAttribute("aria-pressed", dark);
  $("#theme").textContent = dark ? "Light" : "Dark";
}
const wantsDark = matchMedia("(prefers-color-scheme: dark)");
theme(wantsDark.matches);
wantsDark.addEventListener("change", (event) => theme(event.matches));
$("#theme").addEventListener("click", () => theme(document.documentElement.dataset.theme !== "dark"));

// A cell's key for sorting: a number, a text, or null when it has none.
function sortKey(row, key, show) {
  if (key === "name") return row.cells[0].dataset.name;
  if (key === "family") return row.cells[1].dataset.family;
  const column = { finished: 2, overall: 3 }[key] ?? 4 + Number(key);
  const text = row.cells[column].dataset[column < 4 ? key : show];
  return text === undefined || text === "" ? null : Number(text);
}

function sortTable(table, key, direction) {
  const show = table.dataset.show;
  const sign = direction === "ascending" ? 1 : -1;
  const rows = [...table.tBodies[0].rows].map((row) => [sortKey(row, key, show), row]);
  rows.sort(([a], [b]) => {
    if (a === null || b === null) return (a === null) - (b === null);
    return sign * (typeof a === "string" ? a.localeCompare(b) : a - b);
  });
  table.tBodies[0].append(...rows.map(([, row]) => row));
  for (const button of $$("thead button", table)) {
    button.parentElement.setAttribute("aria-sort", button.dataset.key === key ? direction : "none");
  }
}

function chooseColumn(table, button) {
  const now = button.parentElement.getAttribute("aria-sort");
  const isMetric = /^\d+$/.test(button.dataset.key);
  const byRank = isMetric && ["rank", "interval"].includes(table.dataset.show);
  const byWins = isMetric && table.dataset.show === "wins";
  const first = byRank ? "ascending" : byWins ? "descending" : button.dataset.first ?? "ascending";
  const other = first === "ascending" ? "descending" : "ascending";
  sortTable(table, button.dataset.key, now === first ? other : first);
}
for (const table of $$(".board")) {
  for (const button of $$("thead button", table)) {
    button.addEventListener("click", () => chooseColumn(table, button));
  }
}

function filterRows() {
  const words = $("#search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const families = new Set($$("#families input:checked").map((box) => box.value));
  for (const row of $$(".board tbody tr")) {
    const found = words.every((word) => row.dataset.search.includes(word));
    row.hidden = !(found && families.has(row.dataset.family));
  }
  const rows = $$(".view:not([hidden]) .board tbody tr");
  const shown = rows.filter((row) => !row.hidden).length;
  $("#count").textContent = shown === rows.length ? `${shown} methods` : `${shown} of ${rows.length} methods`;
}
$("#search").addEventListener("input", filterRows);
$("#families").addEventListener("change", filterRows);
$("#show").addEventListener("change", (event) => {
  for (const table of $$(".board")) table.dataset.show = event.target.value;
});

function drawChart(place, kind, metric, otherwise) {
  const view = $("[data-state=view]").value;
  const found = $$("template").find(
    (t) => t.dataset.chart === kind && t.dataset.view === view && t.dataset.metric === metric);
  const said = document.createElement("p");
  said.textContent = otherwise;
  $(place).replaceChildren(found ? found.content.cloneNode(true) : said);
}

function drawCharts() {
  drawChart("#speed-chart", "speed", $("#speed-metric").value, "Nothing was timed for this choice.");
  drawChart("#rank-chart", "ranks", $("#rank-metric").value, "This metric is not ranked here: it needs two methods and a scene that all finished.");
  drawChart("#critical-chart", "critical", $("#rank-metric").value, "There is no critical difference: it needs two scenes that all methods finished.");
}
$("#speed-metric").addEventListener("change", drawCharts);
$("#rank-metric").addEventListener("change", drawCharts);

function chooseView(key) {
  for (const select of $$("[data-state=view]")) select.value = key;
  for (const view of $$(".view")) view.hidden = view.dataset.view !== key;
  filterRows();
  drawCharts();
}
for (const select of $$("[data-state=view]")) {
  select.addEventListener("change", () => chooseView(select.value));
}
chooseView($("[data-state=view]").value);

function chooseRobustness() {
  const part = $("#robust-metric").value, what = $("#robust-what").value;
  for (const one of $$(".robust")) one.hidden = one.dataset.key !== part;
  for (const chart of $$("[data-what]")) chart.hidden = chart.dataset.what !== what;
}
for (const select of $$("#robust-metric, #robust-what")) {
  select.addEventListener("change", chooseRobustness);
}

$("#copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText($("#command").textContent);
    $("#copy").textContent = "Copied";
  } catch {
    getSelection().selectAllChildren($("#command"));
    $("#copy").textContent = "Selected";
  }
});
