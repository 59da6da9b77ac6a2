// Scenes: one stage whose images share zoom and pan, drawn from a block of JSON when chosen.

const stage = $("#stage");
const state = { scene: null, mode: "images", z: 1, x: 0, y: 0, left: 0, right: 0 };
const chosen = { left: "", right: "" };  // names of what a reader chose for before/after

function address(image) {
  return $("#full")?.checked && image.full ? image.full : image.thumb;
}

function picture(source) {
  return make("img", { src: source, alt: "", draggable: false });
}

function layer(name, ...children) {
  return make("div", { className: `layer ${name}` }, ...children);
}

// --- zoom and pan -------------------------------------------------------------------------

function place() {
  const low = 1 - state.z;
  state.x = Math.min(0, Math.max(low, state.x));
  state.y = Math.min(0, Math.max(low, state.y));
  stage.style.setProperty("--z", state.z);
  stage.style.setProperty("--x", state.x);
  stage.style.setProperty("--y", state.y);
  stage.classList.toggle("zoomed", state.z > 1);
  $("#zoom").textContent = `${Math.round(100 * state.z)} %`;
}

// Zoom by a factor about a point, given in parts of a pane.
function zoom(factor, px = 0.5, py = 0.5) {
  const z = Math.min(16, Math.max(1, state.z * factor));
  state.x = px - (px - state.x) * (z / state.z);
  state.y = py - (py - state.y) * (z / state.z);
  state.z = z;
  place();
}

function resetZoom() {
  Object.assign(state, { z: 1, x: 0, y: 0 });
  place();
}

function part(event, pane) {
  const box = pane.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height, box];
}

const fingers = new Map();
stage.addEventListener("pointerdown", (event) => {
  const pane = event.target.closest(".pane");
  if (!pane || event.target.closest(".handle") || event.button !== 0) return;
  fingers.set(event.pointerId, { pane, x: event.clientX, y: event.clientY });
  if (state.z > 1 || fingers.size > 1) pane.setPointerCapture(event.pointerId);
});
stage.addEventListener("pointermove", (event) => {
  const finger = fingers.get(event.pointerId);
  if (!finger) return;
  const before = spread();
  const [px, py, box] = part(event, finger.pane);
  const dx = (event.clientX - finger.x) / box.width;
  const dy = (event.clientY - finger.y) / box.height;
  Object.assign(finger, { x: event.clientX, y: event.clientY });
  if (before) {
    zoom(spread() / before, px, py);
  } else if (state.z > 1) {
    state.x += dx;
    state.y += dy;
    place();
  }
});
for (const kind of ["pointerup", "pointercancel"]) {
  addEventListener(kind, (event) => fingers.delete(event.pointerId));
}
// Distance of two fingers, or 0 when there are not two.
function spread() {
  const [a, b] = [...fingers.values()];
  return a && b ? Math.hypot(a.x - b.x, a.y - b.y) : 0;
}
stage.addEventListener("wheel", (event) => {
  const pane = event.target.closest(".pane");
  if (!pane || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  zoom(Math.exp(-event.deltaY / 200), ...part(event, pane));
}, { passive: false });
stage.addEventListener("dblclick", (event) => {
  const pane = event.target.closest(".pane");
  if (pane) zoom(2, ...part(event, pane));
});
stage.addEventListener("keydown", (event) => {
  const step = 0.15;
  const actions = {
    "+": () => zoom(1.5), "=": () => zoom(1.5), "-": () => zoom(1 / 1.5), 0: resetZoom,
    ArrowLeft: () => { state.x += step; place(); }, ArrowRight: () => { state.x -= step; place(); },
    ArrowUp: () => { state.y += step; place(); }, ArrowDown: () => { state.y -= step; place(); },
  };
  const arrow = event.key.startsWith("Arrow");
  if (event.target !== stage || !(event.key in actions) || (arrow && state.z === 1)) return;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  actions[event.key]();
});
$("#zoom-in").addEventListener("click", () => zoom(1.5));
$("#zoom-out").addEventListener("click", () => zoom(1 / 1.5));
$("#zoom-reset").addEventListener("click", resetZoom);

// --- what the stage shows -----------------------------------------------------------------

// The scene in `SCORES`, and the numbers of the chosen metric and of a method there.
function scoreAt(image) {
  const scene = sceneOf(`${state.scene.dataset}/${state.scene.scene}`);
  const metric = SCORES.metrics.findIndex(({ name }) => name === $("#metric").value);
  const method = image.kind === "fused" ? SCORES.methods.findIndex(({ name }) => name === image.name) : -1;
  return [scene, metric, method];
}

function score(image) {
  return scoreOf(...scoreAt(image));
}

function isBest(image) {
  const [scene, metric, method] = scoreAt(image);
  return scene.best[metric]?.includes(method) ?? false;
}

// Images that the search leaves, in the order asked for; sources and reference stay ahead.
function shownImages() {
  const words = $("#methods").value.toLowerCase().split(/[\s,]+/).filter(Boolean);
  const names = new Set(parted($("#methods").value.toLowerCase()));
  const exact = words.length > 0 && [...names].every((name) => SCORES.methods.some((m) => m.name.toLowerCase() === name));
  const fits = (name) => (exact ? names.has(name) : words.some((word) => name.includes(word)));
  const given = state.scene.images.filter((image) => image.kind !== "fused");
  const fused = state.scene.images.filter((image) => image.kind === "fused"
    && (!words.length || fits(image.name.toLowerCase())));
  if ($("#order").value === "best") {
    const sign = $("#metric").selectedOptions[0]?.dataset.higher === "true" ? -1 : 1;
    fused.sort((a, b) => (score(a) === null) - (score(b) === null) || sign * (score(a) - score(b)));
  }
  return [...given, ...fused];
}

function card(image, ratio, ...layers) {
  const pane = make("div", { className: "pane", role: "img", "aria-label": image.name }, ...layers);
  pane.style.aspectRatio = ratio;
  const caption = make("figcaption");
  caption.append(make("button", { type: "button", textContent: image.name, title: "Show in before/after" }));
  caption.firstChild.addEventListener("click", () => compareWith(image));
  const value = score(image);
  if (value !== null) {
    const text = printed(value), top = isBest(image);
    caption.append(make("span", { className: top ? "score top" : "score", textContent: top ? `★ ${text}` : text }));
  }
  return make("figure", { className: "card" }, pane, caption);
}

function compareWith(image) {
  chosen.right = image.name;
  state.right = state.scene.images.indexOf(image);
  $("#right").value = state.right;
  setMode("compare");
  stage.scrollIntoView({ block: "nearest" });
}

function compareCard(ratio) {
  const [a, b] = [state.scene.images[state.left], state.scene.images[state.right]];
  const handle = make("div", { className: "handle" });
  const pane = make("div", { className: "pane", role: "img", "aria-label": `${a.name}, then ${b.name}` },
    layer("", picture(address(a))), layer("cut", picture(address(b))),
    make("span", { className: "tag l", textContent: a.name }),
    make("span", { className: "tag r", textContent: b.name }), handle);
  pane.style.aspectRatio = ratio;
  handle.addEventListener("pointerdown", (event) => {
    handle.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  handle.addEventListener("pointermove", (event) => {
    if (handle.hasPointerCapture(event.pointerId)) setCut(100 * part(event, pane)[0]);
  });
  return make("figure", { className: "card" }, pane);
}

function setCut(percent) {
  const cut = Math.min(100, Math.max(0, percent));
  $("#cut").value = cut;
  stage.style.setProperty("--cut", `${cut}%`);
}

function whereCard(ratio) {
  const image = state.scene.images[0];
  const [left, top, right, bottom] = state.scene.crop;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  const box = { x: left, y: top, width: right - left, height: bottom - top };
  for (const [key, value] of Object.entries(box)) rect.setAttribute(key, 100 * value);
  svg.setAttribute("viewBox", "0 0 100 100");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("class", "spot");
  svg.append(rect);
  const place = card({ ...image, name: "Where" }, ratio, layer("", picture(image.thumb)), svg);
  $("button", place).replaceWith("Where (the whole of source A)");
  return place;
}

function cards() {
  const { scene, mode } = state;
  const ratio = `${scene.width} / ${scene.height}`;
  if (mode === "compare") return [compareCard(ratio)];
  const images = shownImages();
  if (mode === "difference") {
    const against = scene.images[Number($("#against").value)];
    return images.filter((image) => image !== against).map((image) =>
      card(image, ratio, layer("minus", picture(address(against)), picture(address(image)))));
  }
  if (mode === "map") {
    return images.filter((image) => image.map).map((image) =>
      card(image, ratio, layer("sharp", picture(image.map))));
  }
  if (mode === "crop") {
    const crops = images.filter((image) => image.crop);
    return [whereCard(ratio), ...crops.map((image) => card(image, "1", layer("sharp", picture(image.crop))))];
  }
  return images.map((image) => card(image, ratio, layer("", picture(address(image)))));
}

function draw() {
  stage.classList.toggle("single", state.mode === "compare");
  stage.style.setProperty("--single", `min(${Math.max(state.scene.width, 720)}px, ${(80 * state.scene.width) / state.scene.height}vh)`);
  const drawn = cards();
  stage.replaceChildren(...(drawn.length ? drawn : [make("p", { textContent: "No method of that name has an image of this scene." })]));
}

function setMode(mode) {
  const square = (mode === "crop") !== (state.mode === "crop");
  state.mode = mode;
  $(`#mode input[value=${mode}]`).checked = true;
  for (const element of $$(".mode")) element.hidden = element.dataset.mode !== mode;
  if (square) resetZoom();
  draw();
}

function options(select, images, chosen) {
  const choices = images.map((image) => new Option(image.name, state.scene.images.indexOf(image)));
  select.replaceChildren(...choices);
  select.value = chosen;
}

// Without sources there is nothing to subtract, to decide between, or to find a boundary in.
function offerModes(scene) {
  const possible = { difference: scene.sources > 0, map: scene.sources > 0, crop: Boolean(scene.crop) };
  for (const [mode, can] of Object.entries(possible)) {
    const input = $(`#mode input[value=${mode}]`);
    input.disabled = !can;
    input.parentElement.title = can ? "" : "The sources are not in this report";
    if (!can && state.mode === mode) setMode("images");
  }
  $("#missing").hidden = !scene.missing;
  $("#missing").textContent = `Fused images only: ${scene.missing}.`;
}

// Two sources are named; the sources of a stack are a scale from the first one to the last one.
function mapLegend(scene) {
  const name = (k) => scene.images[k].name;
  const swatches = scene.colours.map(swatch);
  const parts = scene.sources > 2
    ? [`${name(0)} `, make("span", { className: "scale" }, ...swatches), ` ${name(scene.sources - 1)}`]
    : swatches.flatMap((square, k) => [square, name(k)]);
  $("#map-legend").replaceChildren(...parts, swatch("#d9d9d9"), "none (within half a grey level)");
}

function swatch(colour) {
  const square = make("span", { className: "swatch" });
  square.style.background = colour;
  return square;
}

// The best method of the leaderboard that has an image here; baselines do not compete.
function bestOverall(images) {
  const boards = $$(".view .board");
  const board = boards.find((one) => one.dataset.name === state.scene.dataset) ?? boards[0];
  const at = [...board.tHead.rows[0].cells].findIndex((head) => head.dataset.column === ".overall");
  const ranks = new Map([...board.tBodies[0].rows].map((row) => [row.dataset.method, row]));
  const rank = (image) => {
    const row = ranks.get(image.name), text = row?.cells[at].dataset.sort;
    return image.kind === "fused" && text && !("baseline" in row.dataset) ? Number(text) : Infinity;
  };
  const best = images.reduce((a, b) => (rank(b) < rank(a) ? b : a), images[0]);
  return rank(best) < Infinity ? images.indexOf(best) : -1;
}

// Before/after opens on a source and the best fused image, until others are chosen: the best on
// the metric that was chosen for the scores, before that of all metrics.
function chooseSides() {
  const { images } = state.scene;
  const find = (name) => images.findIndex((image) => image.name === name);
  const first = images.findIndex((image) => image.kind === "fused" && isBest(image));
  const best = $("#metric").selectedIndex ? first : bestOverall(images);
  const fused = images.findIndex((image) => image.kind === "fused");
  state.left = Math.max(find(chosen.left), 0);
  state.right = [find(chosen.right), best, first, fused].find((k) => k >= 0) ?? images.length - 1;
  $("#left").value = state.left;
  $("#right").value = state.right;
}

function openScene(number) {
  const scene = JSON.parse($$("script.scene")[number].textContent);
  state.scene = scene;
  const given = scene.images.filter((image) => image.kind !== "fused");
  options($("#left"), scene.images, 0);
  options($("#right"), scene.images, 0);
  chooseSides();
  options($("#against"), given, 0);
  const size = `${scene.width} × ${scene.height}`;
  const said = [scene.note, ...scene.notes].filter(Boolean);
  const note = said.length ? ` — ${said.join(". ")}.` : "";
  $("#about").textContent = `${scene.dataset}/${scene.scene}, ${size}, ${scene.origin}${note}`;
  mapLegend(scene);
  resetZoom();
  offerModes(scene);
  draw();
}

$("#scene").addEventListener("change", (event) => openScene(Number(event.target.value)));
for (const [id, step] of [["#previous", -1], ["#next", 1]]) {
  $(id).addEventListener("click", () => {
    const select = $("#scene");
    select.selectedIndex = (select.selectedIndex + step + select.length) % select.length;
    openScene(Number(select.value));
  });
}
$("#mode").addEventListener("change", (event) => setMode(event.target.value));
$("#metric").addEventListener("change", chooseSides);
for (const id of ["#metric", "#order", "#against", "#full"]) $(id)?.addEventListener("change", draw);
$("#methods").addEventListener("input", draw);
for (const side of ["left", "right"]) {
  $(`#${side}`).addEventListener("change", (event) => {
    state[side] = Number(event.target.value);
    chosen[side] = state.scene.images[state[side]].name;
    draw();
  });
}
$("#pick-images").addEventListener("click", () => {
  $("#methods").value = joined(picked);
  draw();
  $("#scenes").scrollIntoView();
});
$("#cut").addEventListener("input", (event) => setCut(Number(event.target.value)));
$("#size").addEventListener("input", (event) => stage.style.setProperty("--size", `${event.target.value}px`));
$("#gain").addEventListener("input", (event) => {
  stage.style.setProperty("--gain", event.target.value);
  $("#gain-out").textContent = `${event.target.value}×`;
});

keepField("metric", "#metric", () => {});
keepField("order", "#order", () => {});
keepField("images", "#methods", () => {});
for (const side of ["left", "right"]) {
  keep(side, () => chosen[side], (text) => { chosen[side] = text; });
}
keep("scene", () => {
  const { dataset, scene, number } = state.scene;
  return number ? `${dataset}/${scene}` : "";
}, (text) => {
  const numbers = [...$("#scene").options].map((option) => Number(option.value));
  const blocks = text ? $$("script.scene").map((block) => block.dataset.name) : [];
  const number = Math.max(blocks.indexOf(text), 0);
  $("#scene").value = numbers.includes(number) ? number : numbers[0];
  openScene(Number($("#scene").value));
});
keep("look", () => (state.mode === "images" ? "" : state.mode), (text) => {
  const input = $$("#mode input").find((one) => one.value === text && !one.disabled);
  setMode(input ? text : "images");
});

