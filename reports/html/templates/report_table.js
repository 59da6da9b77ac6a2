// Rows of the tables: sorted, searched, picked, and pinned on top. Each table has the same methods.

const picked = new Set(), onTop = new Set(), only = new Set();

// A cell's key for sorting: a number, a text, or null when it has none.
function sortKey(row, head, show) {
  const cell = row.cells[head.cellIndex];
  const text = cell.dataset.sort ?? cell.dataset[show] ?? "";
  if ("text" in head.dataset) return text;
  return text === "" ? null : Number(text);
}

function sortTable(table, head, direction) {
  const sign = direction === "ascending" ? 1 : -1;
  const rows = [...table.tBodies[0].rows].map((row) => [sortKey(row, head, table.dataset.show), row]);
  rows.sort(([a, left], [b, right]) => {
    const top = onTop.has(right.dataset.method) - onTop.has(left.dataset.method);
    if (top) return top;
    if (a === null || b === null) return (a === null) - (b === null);
    return sign * (typeof a === "string" ? a.localeCompare(b) : a - b);
  });
  table.tBodies[0].append(...rows.map(([, row]) => row));
  for (const other of table.tHead.rows[0].cells) {
    other.setAttribute("aria-sort", other === head ? direction : "none");
  }
}

// Sorts as the heads say, once more; by the first head where none does.
function sortAgain(table) {
  const heads = [...table.tHead.rows[0].cells];
  const head = heads.find((one) => one.ariaSort !== "none") ?? heads[0];
  sortTable(table, head, head.ariaSort === "descending" ? "descending" : "ascending");
}

function chooseOrder(table, button) {
  const head = button.parentElement, { show } = table.dataset;
  const isMetric = "higher" in head.dataset;
  const byRank = isMetric && ["rank", "interval"].includes(show);
  const byWins = isMetric && show === "wins";
  const first = byRank ? "ascending" : byWins ? "descending" : button.dataset.first;
  const other = first === "ascending" ? "descending" : "ascending";
  sortTable(table, head, head.ariaSort === first ? other : first);
}

// The methods of all tables; a head is pressed, a row is picked.
addEventListener("click", ({ target }) => {
  const table = target.closest?.("table.board");
  if (table && target.closest("thead button")) chooseOrder(table, target.closest("thead button"));
});
addEventListener("change", ({ target }) => {
  if (!target.matches?.(".pick")) return;
  const { method } = target.closest("tr").dataset;
  if (target.checked) picked.add(method);
  else picked.delete(method);
  filterRows();
});

function filterRows() {
  const words = $("#search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const families = new Set($$("#families input:checked").map((box) => box.value));
  for (const row of $$(".board tbody tr")) {
    const { method, search, family } = row.dataset;
    const found = words.every((word) => search.includes(word)) && families.has(family);
    row.hidden = (only.size > 0 && !only.has(method)) || !(found || onTop.has(method));
    row.classList.toggle("top", onTop.has(method));
    $(".pick", row).checked = picked.has(method);
  }
  const rows = $$(".view:not([hidden]) .board tbody tr");
  const shown = rows.filter((row) => !row.hidden).length;
  $("#count").textContent = shown === rows.length ? `${shown} methods` : `${shown} of ${rows.length} methods`;
  $("#picked").textContent = picked.size ? `${picked.size} picked` : "None picked";
  for (const [id, set] of [["#pick-only", only], ["#pick-pin", onTop]]) {
    $(id).setAttribute("aria-pressed", set.size > 0);
    $(id).disabled = !picked.size && !set.size;
  }
  $("#pick-clear").disabled = !(picked.size + only.size + onTop.size);
  if ($("#pick-images")) $("#pick-images").disabled = !picked.size;
}

// Replaces the content of a set.
function fill(set, names) {
  set.clear();
  for (const name of names) set.add(name);
}

function refresh() {
  filterRows();
  for (const table of tablesShown()) {
    sortAgain(table);
    layOut(table);
  }
}

$("#search").addEventListener("input", filterRows);
$("#families").addEventListener("change", filterRows);
function show(kind) {
  for (const table of $$(".view .board")) table.dataset.show = kind;
}
$("#show").addEventListener("change", (event) => {
  show(event.target.value);
  tablesShown().forEach(layOut);
});
for (const [id, set] of [["#pick-only", only], ["#pick-pin", onTop]]) {
  $(id).addEventListener("click", () => {
    fill(set, set.size ? [] : picked);
    refresh();
  });
}
$("#pick-clear").addEventListener("click", () => {
  for (const set of [picked, only, onTop]) set.clear();
  refresh();
});

function chooseView(key) {
  for (const select of $$("[data-state=view]")) select.value = key;
  for (const view of $$(".view")) view.hidden = view.dataset.view !== key;
}

const views = $$("[data-state=view]");
keep("data", () => (views[0].selectedIndex ? views[0].selectedOptions[0].dataset.name : ""), (text) => {
  const found = [...views[0].options].find((option) => option.dataset.name === text);
  chooseView((found ?? views[0].options[0]).value);
});
keepField("show", "#show", (field) => show(field.value));
keep("sort", () => {
  const head = $(".view:not([hidden]) .board thead th:not([aria-sort=none])");
  const text = head ? joined([head.dataset.column, head.ariaSort]) : "";
  return text === ".overall,ascending" ? "" : text;
}, (text) => {
  const [column, direction] = text ? parted(text) : [".overall", "ascending"];
  for (const table of $$(".view .board")) {
    const head = [...table.tHead.rows[0].cells].find((one) => one.dataset.column === column);
    if (head && ["ascending", "descending"].includes(direction)) sortTable(table, head, direction);
  }
});
keepField("search", "#search", () => {});
keep("without", () => joined($$("#families input:not(:checked)").map((box) => box.value)), (text) => {
  const without = parted(text);
  for (const box of $$("#families input")) box.checked = !without.includes(box.value);
});
for (const [name, set] of [["picked", picked], ["only", only], ["top", onTop]]) {
  keep(name, () => joined(set), (text) => fill(set, parted(text)));
}
