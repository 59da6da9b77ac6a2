// Columns of the tables: which are shown, and which are pinned beside the method.

const columnBoxes = $$("#columns input");
const metricBoxes = columnBoxes.filter((box) => !box.value.startsWith("."));
const pinnedColumns = [];
const narrow = [".title", ".year", ".family", ".scenes", ".time"];

function firstColumns() {
  const isFirst = (box) => (box.value.startsWith(".")
    ? "first" in box.dataset && !(phone.matches && narrow.includes(box.value)) : "principal" in box.dataset);
  return columnBoxes.filter(isFirst).map((box) => box.value);
}

function chosenColumns() {
  return columnBoxes.filter((box) => box.checked).map((box) => box.value);
}

function checkColumns(names) {
  for (const box of columnBoxes) box.checked = names.includes(box.value);
}

function showPins() {
  for (const button of $$("#columns .pin")) {
    button.setAttribute("aria-pressed", pinnedColumns.includes(button.dataset.pin));
  }
}

// The tables that can be seen: of the chosen dataset, and of the scenes.
function tablesShown() {
  return $$(".board").filter((table) => !table.closest("[hidden]"));
}

// Moves the cells of every row into the order of its heads: the method, pinned ones, the others.
function orderColumns(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, k) => { head.dataset.at ??= k; });
  const place = (head) => {
    if (head.dataset.column === ".name") return -1000;
    const pin = pinnedColumns.indexOf(head.dataset.column);
    return pin < 0 ? Number(head.dataset.at) : pin - 999;
  };
  const order = heads.map((_, k) => k).sort((a, b) => place(heads[a]) - place(heads[b]));
  if (order.every((from, to) => from === to)) return;
  for (const row of table.rows) {
    const cells = [...row.cells];
    row.append(...order.map((k) => cells[k]));
  }
}

// Pinned columns stay while the others are scrolled, as long as they leave half of the width.
function stickColumns(table) {
  let left = table.tHead.rows[0].cells[0].offsetWidth;
  const room = table.parentElement.clientWidth / 2;
  [...table.tHead.rows[0].cells].forEach((head, k) => {
    if (k === 0) return;
    const pinned = pinnedColumns.includes(head.dataset.column) && !head.hidden;
    const sticks = pinned && left + head.offsetWidth <= room;
    for (const row of table.rows) {
      row.cells[k].classList.toggle("stuck", sticks);
      row.cells[k].style.left = sticks ? `${left}px` : "";
    }
    if (sticks) left += head.offsetWidth;
  });
}

function layOut(table) {
  orderColumns(table);
  const chosen = new Set([...chosenColumns(), ...pinnedColumns, ".name"]);
  [...table.tHead.rows[0].cells].forEach((head, k) => {
    const hidden = !(chosen.has(head.dataset.column) || "free" in head.dataset);
    if (head.hidden === hidden && table.rows[1]?.cells[k].hidden === hidden) return;
    for (const row of table.rows) row.cells[k].hidden = hidden;
  });
  stickColumns(table);
  hint(table);
}

// Says how many columns lie to the right of what is seen.
function hint(table) {
  const box = table.parentElement, edge = box.getBoundingClientRect().right;
  const beyond = [...table.tHead.rows[0].cells].filter(
    (head) => !head.hidden && head.getBoundingClientRect().right > edge + 2).length;
  const line = box.previousElementSibling;
  line.hidden = !beyond;
  const how = matchMedia("(pointer: coarse)").matches ? "Swipe" : "Scroll";
  line.textContent = `${how} sideways for ${beyond} more column${beyond === 1 ? "" : "s"} →`;
}
for (const table of $$(".board")) {
  table.parentElement.addEventListener("scroll", () => hint(table), { passive: true });
}
addEventListener("resize", () => tablesShown().forEach(layOut));

$("#columns").addEventListener("change", () => tablesShown().forEach(layOut));
$("#columns").addEventListener("click", ({ target }) => {
  const { pin, columns } = target.dataset;
  if (pin) {
    const at = pinnedColumns.indexOf(pin);
    if (at < 0) pinnedColumns.push(pin);
    else pinnedColumns.splice(at, 1);
    showPins();
  } else if (columns) {
    for (const box of metricBoxes) {
      box.checked = columns === "all" || (columns === "principal" && "principal" in box.dataset);
    }
  } else {
    return;
  }
  tablesShown().forEach(layOut);
});
addEventListener("click", ({ target }) => {
  for (const drop of $$(".drop[open]")) if (!drop.contains(target)) drop.open = false;
});
addEventListener("keydown", ({ key, target }) => {
  const drop = key === "Escape" && target.closest?.(".drop[open]");
  if (!drop) return;
  drop.open = false;
  $("summary", drop).focus();
});

checkColumns(firstColumns());
keep("columns", () => {
  const chosen = chosenColumns();
  return joined(chosen) === joined(firstColumns()) ? "" : joined(chosen) || "none";
}, (text) => checkColumns(text ? parted(text) : firstColumns()));
keep("beside", () => joined(pinnedColumns), (text) => {
  pinnedColumns.splice(0, Infinity, ...parted(text).filter((name) => columnBoxes.some((box) => box.value === name)));
  showPins();
});
