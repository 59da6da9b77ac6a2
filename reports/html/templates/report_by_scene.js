// The table of one scene with all metrics, or of one metric with all scenes.

const SCORES = JSON.parse($("#scores").textContent);
const sceneTable = $("#scene-table");
const JPEG = sceneTable.dataset.jpeg;

function sceneOf(name) {
  return SCORES.scenes.find((scene) => `${scene.dataset}/${scene.scene}` === name);
}

// A score of a scene as a number, or null.
function scoreOf(scene, metric, method) {
  const value = scene.values[metric]?.[method] ?? null;
  return typeof value === "string" ? Number(value.replace("inf", "Infinity")) : value;
}

function printed(value) {
  return Number.isFinite(value) ? value.toFixed(4) : value > 0 ? "inf" : "-inf";
}

function valueCell(scene, metric, method) {
  const value = scoreOf(scene, metric, method);
  if (value === null) return make("td", { className: "n", textContent: "–" });
  const best = scene.best[metric].includes(method);
  const text = make("span", { className: best ? "cell best" : "cell" });
  if (best) {
    text.append(make("span", { className: "sr", textContent: "best: " }),
      make("span", { className: "sign", "aria-hidden": "true", textContent: "★" }));
  }
  text.append(printed(value));
  return make("td", { className: "n", "data-sort": value }, text);
}

function plainCell(text, key, name = "") {
  return make("td", { className: name, textContent: text, ...(key === null ? {} : { "data-sort": key }) });
}

function columnHead(column, text, { name = "n", first = "ascending", ...data } = {}) {
  const button = make("button", { type: "button", textContent: text, "data-first": first });
  return make("th", { scope: "col", className: name, "data-column": column, "aria-sort": "none", ...data }, button);
}

function metricHead(metric) {
  return columnHead(metric.name, `${metric.label} ${metric.higher ? "↑" : "↓"}`, {
    first: metric.higher ? "descending" : "ascending",
    "data-label": metric.label, "data-higher": metric.higher, "data-latex": metric.latex,
  });
}

function sceneHead(scene, metric) {
  return columnHead(`${scene.dataset}/${scene.scene}`, scene.title, {
    first: metric.higher ? "descending" : "ascending",
    title: `${scene.dataset}/${scene.scene}`, "data-free": "", "data-higher": metric.higher,
  });
}

// The scenes of the chosen dataset; all of them in the view of all.
function scenesShown() {
  const name = $("[data-state=view]").selectedOptions[0].dataset.name.replace(/-jpeg$/, "");
  const found = SCORES.scenes.filter((scene) => scene.dataset === name);
  return found.length ? found : SCORES.scenes;
}

function methodRow(method, number, cells, jpeg) {
  const head = make("th", { scope: "row", title: method.title, "data-sort": method.name.toLowerCase() },
    make("input", { type: "checkbox", className: "pick", ariaLabel: `Pick ${method.name}` }),
    method.name + (jpeg ? ` ${JPEG}` : ""));
  const search = `${method.name} ${method.title}`.toLowerCase();
  return make("tr", { "data-method": method.name, "data-family": method.family, "data-search": search }, head, ...cells);
}

function drawSceneTable() {
  const one = $("#by input:checked").value === "scene";
  const scene = sceneOf($("#by-one-scene").value);
  const metric = SCORES.metrics.findIndex(({ name }) => name === $("#by-one-metric").value);
  const found = (each, m) => each.values[m].some((value) => value !== null);
  const metrics = [...SCORES.metrics.keys()].filter((m) => found(scene, m));
  const scenes = one ? [scene] : scenesShown().filter((each) => found(each, metric));
  const heads = one
    ? [columnHead(".time", "Time (s)"), ...metrics.map((m) => metricHead(SCORES.metrics[m]))]
    : scenes.map((each) => sceneHead(each, SCORES.metrics[metric]));
  const rows = SCORES.methods.map((method, k) => {
    const cells = one
      ? [plainCell(scene.times[k] ?? "–", scene.times[k], "n"), ...metrics.map((m) => valueCell(scene, m, k))]
      : scenes.map((each) => valueCell(each, metric, k));
    const empty = cells.every((cell) => !("sort" in cell.dataset));
    const jpeg = scenes.some((each) => each.jpeg.includes(k));
    return empty ? null : methodRow(method, k, cells, jpeg);
  }).filter(Boolean);
  const name = columnHead(".name", "Method", { name: "", "data-text": "" });
  sceneTable.tHead.rows[0].replaceChildren(name, ...heads);
  sceneTable.tBodies[0].replaceChildren(...rows);
  const what = one ? `${scene.dataset}/${scene.scene}` : SCORES.metrics[metric].label;
  Object.assign(sceneTable.dataset, { name: what, label: one ? what : `${what} by scene` });
  for (const label of $$("[data-by]")) label.hidden = label.dataset.by !== (one ? "scene" : "metric");
  const best = [...sceneTable.tHead.rows[0].cells].find((head) => "higher" in head.dataset);
  if (best) sortTable(sceneTable, best, $("button", best).dataset.first);
  filterRows();
  layOut(sceneTable);
}
for (const id of ["#by", "#by-one-scene", "#by-one-metric"]) $(id).addEventListener("change", drawSceneTable);

keep("by", () => ($("#by input:checked").value === "metric" ? "metric" : ""), (text) => {
  $(`#by input[value=${text === "metric" ? "metric" : "scene"}]`).checked = true;
});
keepField("of", "#by-one-scene", () => {});
keepField("on", "#by-one-metric", drawSceneTable);
