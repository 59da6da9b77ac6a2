// Charts: those of the chosen dataset and metric, taken from the templates of the page.

function drawChart(place, kind, metric, otherwise) {
  const view = $("[data-state=view]").value;
  const found = $$("template").find(
    (t) => t.dataset.chart === kind && t.dataset.view === view && t.dataset.metric === metric);
  $(place).replaceChildren(found ? found.content.cloneNode(true) : make("p", { textContent: otherwise }));
  $(`[data-of="${place}"]`).hidden = !found;
}

function drawCharts() {
  drawChart("#speed-chart", "speed", $("#speed-metric").value, "Nothing was timed for this choice.");
  drawChart("#rank-chart", "ranks", $("#rank-metric").value, "This metric is not ranked here: it needs two methods and a scene that all finished.");
  drawChart("#critical-chart", "critical", $("#rank-metric").value, "There is no critical difference: it needs two scenes that all methods finished.");
}
$("#speed-metric").addEventListener("change", drawCharts);
$("#rank-metric").addEventListener("change", drawCharts);
keepField("speed", "#speed-metric", () => {});
keepField("rank", "#rank-metric", drawCharts);

function chooseRobustness() {
  const part = $("#robust-metric").value, what = $("#robust-what").value;
  for (const one of $$(".robust")) one.hidden = one.dataset.key !== part;
  for (const chart of $$("[data-what]")) chart.hidden = chart.dataset.what !== what;
}
for (const select of $$("#robust-metric, #robust-what")) {
  select.addEventListener("change", chooseRobustness);
}
keepField("robust", "#robust-metric", chooseRobustness);
keepField("curves", "#robust-what", chooseRobustness);
