// Saves tables and charts as they are shown: CSV, LaTeX, PNG and SVG, made here and sent nowhere.

function download(name, kind, data) {
  const address = URL.createObjectURL(data instanceof Blob ? data : new Blob([data], { type: kind }));
  make("a", { href: address, download: name.replace(/[^\w.+-]+/g, "-") }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

// The text of an element without what only screen readers or only eyes get.
function plainText(element) {
  const copied = element.cloneNode(true);
  for (const part of $$(".sr, .sign", copied)) part.remove();
  return copied.textContent.trim().replace(/\s+/g, " ");
}

// Heads and rows of a table that are not hidden: texts, and which values are best.
function shownTable(table) {
  const heads = [...table.tHead.rows[0].cells].filter((head) => !head.hidden);
  const content = (cell) => $(`.s-${table.dataset.show}`, cell) ?? $(".cell", cell) ?? cell;
  const rows = [...table.tBodies[0].rows].filter((row) => !row.hidden).map((row) =>
    heads.map((head) => {
      const cell = content(row.cells[head.cellIndex]);
      return { text: plainText(cell), best: cell.classList.contains("best") };
    }));
  const marked = (head) => plainText($("button", head));
  return {
    rows,
    heads: heads.map((head) => ({
      text: marked(head),
      latex: head.dataset.latex && marked(head).replace(head.dataset.label, () => head.dataset.latex),
      right: head.classList.contains("n"),
    })),
    caption: captionOf(table, [...heads.map(marked), ...rows.map(([first]) => first.text)].join(" ")),
    name: `${table.dataset.name}-${table.dataset.show ?? "scores"}`,
  };
}

// What the numbers are, and the meaning of the marks that stand in `texts`.
function captionOf(table, texts) {
  const shows = $("#show").selectedOptions[0].textContent;
  const what = table === sceneTable ? "Scores" : shows[0].toUpperCase() + shows.slice(1);
  const marks = $$("#marks [data-mark]").filter(({ dataset }) => texts.includes(dataset.mark));
  return [`${what}: ${table.dataset.label}.`, ...marks.map((mark) => `${mark.textContent}.`)].join(" ");
}

function csv({ heads, rows }) {
  const quoted = (text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = [heads, ...rows].map((row) => row.map(({ text }) => quoted(text === "–" ? "" : text)).join(","));
  return `${lines.join("\r\n")}\r\n`;
}

const LATEX = {
  "\\": "\\textbackslash{}", "&": "\\&", "%": "\\%", "$": "\\$", "#": "\\#", _: "\\_", "{": "\\{", "}": "\\}",
  "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "↑": "$\\uparrow$", "↓": "$\\downarrow$", "–": "--",
  "±": "$\\pm$", "†": "\\textdagger{}", "‡": "\\textdaggerdbl{}", "§": "\\S{}", "<": "$<$", ">": "$>$",
};

function latex({ heads, rows, caption, name }) {
  const escaped = (text) => text.replace(/[\\&%$#_{}~^↑↓–±†‡§<>]/g, (letter) => LATEX[letter]);
  const head = ({ text, latex: symbol }) => (symbol
    ? symbol.replace(/[↑↓§]/g, (letter) => LATEX[letter]) : escaped(text));
  const value = ({ text, best }) => (best ? `\\textbf{${escaped(text)}}` : escaped(text));
  return [
    "% needs \\usepackage{booktabs}",
    "\\begin{table}", "\\centering",
    `\\caption{${escaped(caption)} Bold: best; baselines do not compete.}`,
    `\\label{tab:${name.replace(/[^\w.+-]+/g, "-")}}`,
    `\\begin{tabular}{${heads.map(({ right }) => (right ? "r" : "l")).join("")}}`, "\\toprule",
    `${heads.map(head).join(" & ")} \\\\`, "\\midrule",
    ...rows.map((row) => `${row.map(value).join(" & ")} \\\\`),
    "\\bottomrule", "\\end{tabular}", "\\end{table}", "",
  ].join("\n");
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);

// A canvas of that size in CSS pixels, twice as fine, or as fine as browsers allow.
function canvasOf(width, height) {
  const scale = Math.min(2, 16_000 / Math.max(width, height), Math.sqrt(2e8 / (width * height)));
  const canvas = make("canvas", { width: Math.ceil(width * scale), height: Math.ceil(height * scale) });
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  pen.fillStyle = colour("--bg");
  pen.fillRect(0, 0, width, height);
  return [canvas, pen];
}

function savePng(canvas, name) {
  canvas.toBlob((blob) => download(`${name}.png`, "image/png", blob));
}

function drawTable({ heads, rows, caption }) {
  const line = 26, gap = 10, family = getComputedStyle(document.body).fontFamily;
  const bold = `600 14px ${family}`, usual = `14px ${family}`;
  const ruler = make("canvas").getContext("2d");
  const measure = (text, font) => { ruler.font = font; return ruler.measureText(text).width; };
  const widths = heads.map(({ text }, k) => 2 * gap + Math.ceil(Math.max(measure(text, bold),
    ...rows.map((row) => measure(row[k].text, k === 0 || row[k].best ? bold : usual)))));
  const total = widths.reduce((sum, width) => sum + width, 0);
  const width = Math.max(total, measure(caption, usual) + 2 * gap);
  const [canvas, pen] = canvasOf(width, line * (rows.length + 2) + 8);
  pen.textBaseline = "middle";
  const write = (text, font, x, y, right) => {
    Object.assign(pen, { font, fillStyle: colour("--text"), textAlign: right ? "right" : "left" });
    pen.fillText(text, x, y);
  };
  write(caption, usual, gap, line / 2);
  [heads, ...rows].forEach((row, r) => {
    const y = line * (r + 1);
    let x = 0;
    row.forEach(({ text, best }, k) => {
      if (best) {
        pen.fillStyle = colour("--best");
        pen.fillRect(x + 2, y + 2, widths[k] - 4, line - 4);
      }
      const { right } = heads[k];
      write(text, r === 0 || k === 0 || best ? bold : usual, right ? x + widths[k] - gap : x + gap, y + line / 2, right);
      x += widths[k];
    });
    pen.fillStyle = colour(r ? "--edge" : "--text");
    pen.fillRect(0, y + line - 1, total, 1);
  });
  return canvas;
}

const DRAWN = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "font-size", "font-family"];

// The chart as a drawing that needs no style sheet.
function standalone(chart) {
  const drawing = chart.cloneNode(true);
  const [from, to] = [chart, drawing].map((root) => [root, ...$$("*", root)]);
  from.forEach((element, k) => {
    if (element.tagName === "title") return;
    const style = getComputedStyle(element);
    for (const name of DRAWN) to[k].setAttribute(name, style.getPropertyValue(name));
    to[k].removeAttribute("class");
  });
  const { width, height } = chart.viewBox.baseVal;
  const ground = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [key, value] of Object.entries({ width, height, fill: colour("--bg") })) ground.setAttribute(key, value);
  drawing.prepend(ground);
  for (const [key, value] of Object.entries({ width, height })) drawing.setAttribute(key, value);
  return { text: new XMLSerializer().serializeToString(drawing), width, height };
}

async function saveChart(chart, kind, name) {
  const { text, width, height } = standalone(chart);
  if (kind === "svg") {
    download(`${name}.svg`, "image/svg+xml", text);
    return;
  }
  const image = make("img", { src: `data:image/svg+xml,${encodeURIComponent(text)}` });
  await image.decode();
  const [canvas, pen] = canvasOf(width, height);
  pen.drawImage(image, 0, 0, width, height);
  savePng(canvas, name);
}

function saveTable(table, kind) {
  const shown = shownTable(table);
  if (kind === "csv") download(`${shown.name}.csv`, "text/csv", csv(shown));
  else if (kind === "latex") download(`${shown.name}.tex`, "text/x-tex", latex(shown));
  else savePng(drawTable(shown), shown.name);
}

addEventListener("click", ({ target }) => {
  const kind = target.dataset?.save;
  if (!kind) return;
  const chart = target.closest("[data-of]")?.dataset;
  if (chart) saveChart($(`${chart.of} svg`), kind, chart.name);
  else saveTable($(".board", target.closest("section").querySelector(".view:not([hidden])") ?? target.closest("section")), kind);
});
