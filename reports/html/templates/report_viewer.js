// Scenes: one stage whose images share zoom and pan, drawn from a block of JSON when chosen.

const stage = $("#stage");
const state = { scene: null, mode: "images", z: 1, x: 0, y: 0, left: 0, right: 0 };

// An element with properties, attributes (data and ARIA too) and children; never any markup.
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) {
    if (key in element) element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

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

function score(image) {
  const value = image.scores?.[$("#metric").value] ?? null;
  return value === "inf" ? Infinity : value;
}

// Images that the search leaves, in the order asked for; sources and reference stay ahead.
function shownImages() {
  const words = $("#methods").value.toLowerCase().split(/[\s,]+/).filter(Boolean);
  const given = state.scene.images.filter((image) => image.kind !== "fused");
  const fused = state.scene.images.filter((image) => image.kind === "fused"
    && (!words.length || words.some((word) => image.name.toLowerCase().includes(word))));
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
    const text = Number.isFinite(value) ? value.toFixed(4) : "inf";
    const top = image.best?.includes($("#metric").value);
    caption.append(make("span", { className: top ? "score top" : "score", textContent: top ? `★ ${text}` : text }));
  }
  return make("figure", { className: "card" }, pane, caption);
}

function compareWith(image) {
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

function openScene(number) {
  const scene = JSON.parse($$("script.scene")[number].textContent);
  const names = state.scene ? [state.left, state.right].map((k) => state.scene.images[k].name) : [];
  state.scene = scene;
  const find = (name, otherwise) => {
    const found = scene.images.findIndex((image) => image.name === name);
    return found < 0 ? Math.min(otherwise, scene.images.length - 1) : found;
  };
  state.left = find(names[0], 0);
  state.right = find(names[1], Math.max(scene.images.findIndex((image) => image.kind === "fused"), 0));
  const given = scene.images.filter((image) => image.kind !== "fused");
  options($("#left"), scene.images, state.left);
  options($("#right"), scene.images, state.right);
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
for (const id of ["#metric", "#order", "#against", "#full"]) $(id)?.addEventListener("change", draw);
$("#methods").addEventListener("input", draw);
$("#left").addEventListener("change", (event) => { state.left = Number(event.target.value); draw(); });
$("#right").addEventListener("change", (event) => { state.right = Number(event.target.value); draw(); });
$("#cut").addEventListener("input", (event) => setCut(Number(event.target.value)));
$("#size").addEventListener("input", (event) => stage.style.setProperty("--size", `${event.target.value}px`));
$("#gain").addEventListener("input", (event) => {
  stage.style.setProperty("--gain", event.target.value);
  $("#gain-out").textContent = `${event.target.value}×`;
});
openScene(Number($("#scene").value));
